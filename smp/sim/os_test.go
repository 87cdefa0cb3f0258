package sim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

func (h *host) clock() any {
	h.t.Helper()
	r := h.ask(smp.Read, smp.GroupOS, 4, nil)
	if n := code(r); n != 0 {
		return n
	}
	return r["datetime"]
}

func TestClock(t *testing.T) {
	for _, tt := range []struct {
		set  string
		want any // code of the error, or what the clock says two seconds later; rc 3 as -3
	}{
		{"2026-11-21T01:02:03", "2026-11-21T01:02:05"},
		{"2026-11-21T23:59:59", "2026-11-22T00:00:01"},
		{"2026/11/21 01-02-03", "2026-11-21T01:02:05"},
		{"2026-11-21T01:02:03+02:00", "2026-11-21T01:02:05"}, // the zone is ignored
		{"2026-11-21T01:02:03.45678", "2026-11-21T01:02:05"},
		{"2026-11-21T01:02:03.456789", -3}, // too long
		{"2026-13-21T01:02:03", -3},
		{"1899-11-21T01:02:03", -3},
		{"2026-11-21T24:02:03", -3},
		{"2026-02-30T01:02:03", 5},
		{"2026-11-21", -3},
		{"not a date, is it now", -3},
		{"", -3},
		{"-026-11-21T01:02:03", -3},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sim.Options{})
			h := newHost(t, d)
			if got := h.clock(); got != 4 {
				t.Errorf("clock that was never set: %v, want error 4", got)
			}
			r := h.ask(smp.Write, smp.GroupOS, 4, args{"datetime": tt.set})
			got := any(code(r))
			switch {
			case r["rc"] == uint64(3):
				got = -3
			case len(r) == 0:
				time.Sleep(2 * time.Second)
				got = h.clock()
			}
			if got != tt.want {
				t.Errorf("clock set to %q: %v, want %v", tt.set, got, tt.want)
			}
			if _, ok := tt.want.(string); !ok {
				return
			}
			d.Reset()
			time.Sleep(longEnough)
			if got := h.clock(); got == 4 {
				t.Errorf("clock stopped at a reset")
			}
			d.PowerCycle()
			time.Sleep(longEnough)
			if got := h.clock(); got != 4 {
				t.Errorf("clock after a power cycle: %v, want error 4", got)
			}
		})
	}
}

func TestBootloaderInfo(t *testing.T) {
	modes := []string{"swap", "overwrite", "direct-xip", "direct-xip-revert", "ram-load", "swap-offset"}
	numbers := []uint64{3, 2, 4, 5, 6, 9} // MCUboot boot_status.h
	for i, name := range modes {
		mode, err := sim.ParseMode(name)
		if err != nil || mode.String() != name {
			t.Fatalf("ParseMode(%q) = %v, %v", name, mode, err)
		}
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, newDevice(t, sim.Options{Mode: mode, NoDowngrade: i == 0}))
			want := map[string]any{"mode": numbers[i]}
			if i == 0 {
				want["no-downgrade"] = true
			}
			if diff := cmp.Diff(want, h.ask(smp.Read, smp.GroupOS, 8, args{"query": "mode"})); diff != "" {
				t.Errorf("%s: answer to the query differs (-want +got):\n%s", name, diff)
			}
			if diff := cmp.Diff(map[string]any{"bootloader": "MCUboot"},
				h.ask(smp.Read, smp.GroupOS, 8, nil)); diff != "" {
				t.Errorf("%s: answer without a query differs (-want +got):\n%s", name, diff)
			}
			if r := h.ask(smp.Read, smp.GroupOS, 8, args{"query": "color"}); code(r) != 3 {
				t.Errorf("%s: unknown query: answer %v, want error 3", name, r)
			}
		})
	}
	if m, err := sim.ParseMode("swop"); err == nil || !strings.Contains(err.Error(), `"swop"`) {
		t.Errorf("ParseMode of nonsense = %v, %v", m, err)
	}
}

func TestStatistics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{}))
		r := h.ask(smp.Read, smp.GroupOS, 2, nil)
		tasks, _ := r["tasks"].(map[any]any)
		for _, name := range []string{"mcumgr smp", "sysworkq", "idle", "main"} {
			m, _ := tasks[name].(map[any]any)
			if size, used := m["stksiz"], m["stkuse"]; size == nil || used == nil || used.(uint64) > size.(uint64) {
				t.Errorf("task %q: %v, want a stack that is not overrun", name, m)
			}
		}
		r = h.ask(smp.Read, smp.GroupOS, 3, nil)
		if pool, ok := r["0"].(map[any]any); !ok || pool["nfree"].(uint64) > pool["nblks"].(uint64) {
			t.Errorf("memory pools: %v", r)
		}
	})
}

func TestInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{Board: "my_board@2", Kernel: "4.2.0"}))
		for format, want := range map[string]string{
			"i": "my_board@2", "v": "4.2.0", "iv": "4.2.0 my_board@2",
			"a": "Zephyr unknown v4.2.0 4.2.0 Thu Jan  1 00:00:00 2026 posix x86 my_board@2 Zephyr",
		} {
			if r := h.ask(smp.Read, smp.GroupOS, 7, args{"format": format}); r["output"] != want {
				t.Errorf("info %q = %v, want %q", format, r, want)
			}
		}
	})
}

// TestAnswerTooLarge wants rc 7 for an answer that no packet buffer can hold.
func TestAnswerTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{BufSize: 128}))
		if r := h.ask(smp.Read, smp.GroupOS, 2, nil); r["rc"] != uint64(7) {
			t.Errorf("task statistics with small buffers: answer %v, want rc 7", r)
		}
		if r := h.ask(smp.Read, smp.GroupOS, 6, nil); r["buf_size"] != uint64(128) {
			t.Errorf("params after that: %v", r)
		}
	})
}
