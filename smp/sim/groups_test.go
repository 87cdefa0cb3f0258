package sim_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// setting reads a setting: its bytes as text, or the code of the error.
func (h *host) setting(name string) any {
	h.t.Helper()
	r := h.ask(smp.Read, smp.GroupSettings, 0, args{"name": name})
	if n := code(r); n != 0 {
		return n
	}
	return string(r["val"].([]byte))
}

func (h *host) set(name, value string) int {
	h.t.Helper()
	return code(h.ask(smp.Write, smp.GroupSettings, 0, args{"name": name, "val": []byte(value)}))
}

// TestSettings: a value lives until the reset, a saved one longer, and storage that was erased is empty after the
// reset.
func TestSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{})
		h := newHost(t, d)
		reset := func() {
			d.Reset()
			time.Sleep(longEnough)
		}
		expect := func(when string, want any) {
			t.Helper()
			if got := h.setting("demo/name"); got != want {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		expect("new", "smpctl")
		h.set("demo/name", "a")
		expect("set", "a")
		reset()
		expect("reset", "smpctl")
		h.set("demo/name", "b")
		h.ask(smp.Write, smp.GroupSettings, 3, nil)
		h.set("demo/name", "c")
		h.ask(smp.Read, smp.GroupSettings, 3, nil)
		expect("loaded", "b")
		reset()
		expect("saved", "b")
		h.ask(smp.Write, smp.GroupZephyr, 0, nil)
		expect("storage erased", "b")
		reset()
		expect("storage erased, reset", "smpctl")
		h.ask(smp.Write, smp.GroupSettings, 1, args{"name": "demo/name"})
		expect("deleted", 3)
	})
}

// TestSettingsAreBounded: what the application keeps fits a flash file, whatever a client sends.
func TestSettingsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "flash")
		d := newDevice(t, sim.Options{Flash: file})
		h := newHost(t, d)
		refused := 0
		for i := range 20 {
			name := fmt.Sprintf("demo/%02d%s", i, strings.Repeat("\xff", 24))
			if h.set(name, strings.Repeat("\xff", 64)) != 0 {
				refused++
			}
		}
		if refused != 15 {
			t.Errorf("%d of 20 refused, want 15 beside the 3 that it has", refused)
		}
		if n := h.set("demo/name", strings.Repeat("x", 65)); n != 1 {
			t.Errorf("65 bytes: %d, want 1", n)
		}
		if r := h.ask(smp.Write, smp.GroupSettings, 3, nil); len(r) != 0 {
			t.Errorf("save: %v", r)
		}
		if err := d.Close(); err != nil {
			t.Errorf("flash file: %v", err)
		}
	})
}

// TestCrash: the device dies without an answer, comes back, and its log knows.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{})
		h := newHost(t, d)
		if r := h.ask(smp.Write, smp.GroupCrash, 0, args{"t": "softly"}); r["rc"] != uint64(3) {
			t.Errorf("unknown kind: %v, want rc 3", r)
		}
		if r := h.ask(smp.Write, smp.GroupCrash, 0, args{"t": "div0"}); r != nil {
			t.Errorf("crash: answer %v, want none", r)
		}
		time.Sleep(longEnough)
		logs := h.ask(smp.Read, smp.GroupLog, 0, args{"log_name": "reboot_log", "ts": 0, "index": 1})["logs"].([]any)
		var got []string
		for _, e := range logs[0].(map[any]any)["entries"].([]any) {
			got = append(got, string(e.(map[any]any)["msg"].([]byte)))
		}
		if diff := cmp.Diff([]string{"crash: div0", "boot 2"}, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestShellSleep: a command that takes long keeps other requests waiting, and a reset ends it.
func TestShellSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{})
		h := newHost(t, d)
		h.send(h.request(smp.Write, smp.GroupShell, 0, args{"argv": []string{"kernel sleep 2000"}}))
		h.send(h.request(smp.Write, smp.GroupOS, 0, args{"d": "x"}))
		if got := h.all(); len(got) != 0 {
			t.Errorf("answers %x while it sleeps", got)
		}
		time.Sleep(3 * time.Second)
		if got := h.all(); len(got) != 2 {
			t.Errorf("%d answers afterwards, want 2", len(got))
		}
		h.send(h.request(smp.Write, smp.GroupShell, 0, args{"argv": []string{"kernel sleep 30000"}}))
		h.all()
		d.Reset()
		time.Sleep(longEnough)
		if r := h.ask(smp.Write, smp.GroupOS, 0, args{"d": "x"}); r["r"] != "x" {
			t.Errorf("echo after the reset: %v", r)
		}
	})
}
