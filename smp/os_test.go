package smp_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// exchange plays one command against one answer and returns what the command sent, in hexadecimal digits with the
// sequence as 00.
func exchange(t *testing.T, answer []byte, ask func(*smp.Client)) (sent []string) {
	t.Helper()
	c, l := settled(t, func(l *link, p []byte) { l.reply(response(p, answer)) }, smp.Options{})
	ask(c)
	for _, p := range l.requests() {
		p[6] = 0
		sent = append(sent, hex.EncodeToString(p))
	}
	return sent
}

func ptr[T any](v T) *T { return &v }

func TestTaskStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Indefinite maps, a nameless thread, a name that repeats because it was cut, every optional field once.
		answer := []byte("\xbf\x65tasks\xbf" +
			"\x60\xbf\x64prio\x20\x63tid\x01\x65state\x02\xff" +
			"\x64idle\xa6\x64prio\x0f\x63tid\x02\x65state\x08\x66stkuse\x18\x20\x66stksiz\x18\x40\x67runtime\x19\x01\x00" +
			"\x64idle\xa6\x64prio\x0e\x63tid\x03\x65state\x00\x66cswcnt\x00\x6clast_checkin\x00\x6cnext_checkin\x00" +
			"\xff\xff")
		want := []smp.Task{
			{Name: "", Priority: -1, ID: 1, State: 2},
			{Name: "idle", Priority: 15, ID: 2, State: 8, StackUsed: ptr(uint64(32)), StackSize: ptr(uint64(64)),
				Runtime: ptr(uint64(256))},
			{Name: "idle", Priority: 14, ID: 3, Switches: ptr(uint64(0)), LastCheckin: ptr(uint64(0)),
				NextCheckin: ptr(uint64(0))},
		}
		sent := exchange(t, answer, func(c *smp.Client) {
			got, err := c.OS.TaskStats(t.Context())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("TaskStats: %v (-want +got):\n%s", err, diff)
			}
		})
		if diff := cmp.Diff([]string{"0800000100000002a0"}, sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestMemoryPools(t *testing.T) {
	pool := reply{"blksiz": 64, "nblks": 100, "nfree": 40, "min": 10}
	want := []smp.Pool{{Name: "heap", BlockSize: 64, Blocks: 100, Free: 40, LeastFree: 10}}
	for name, answer := range map[string][]byte{
		"at the top":  encode(reply{"heap": pool}),
		"and rc":      encode(reply{"rc": 0, "heap": pool}),
		"Mynewt":      encode(reply{"rc": 0, "mpools": reply{"heap": pool}}),
		"under tasks": encode(reply{"tasks": reply{"heap": pool}}),
		"unknown key more": encode(reply{"heap": reply{"blksiz": 64, "nblks": 100, "nfree": 40, "min": 10,
			"peak": 90}}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange(t, answer, func(c *smp.Client) {
					got, err := c.OS.MemoryPools(t.Context())
					if diff := cmp.Diff(want, got); diff != "" || err != nil {
						t.Errorf("MemoryPools: %v (-want +got):\n%s", err, diff)
					}
				})
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // a heap, as new Zephyr reports it
		exchange(t, encode(reply{"0": reply{"nblks": 2048, "nfree": 1000, "min": 900}}), func(c *smp.Client) {
			got, err := c.OS.MemoryPools(t.Context())
			want := []smp.Pool{{Name: "0", BlockSize: 1, Blocks: 2048, Free: 1000, LeastFree: 900}}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("MemoryPools: %v (-want +got):\n%s", err, diff)
			}
		})
	})
}

func TestDatetime(t *testing.T) {
	at := func(fraction time.Duration) time.Time {
		return time.Date(2026, 11, 21, 1, 2, 3, int(fraction), time.UTC)
	}
	tests := []struct {
		text string
		want time.Time // zero: an error
	}{
		{"2026-11-21T01:02:03", at(0)},
		{"2026-11-21T01:02:03.004", at(4 * time.Millisecond)},
		{"2026-11-21T01:02:03.7", at(7 * time.Millisecond)}, // not padded
		{"2026-11-21T01:02:03.70", at(70 * time.Millisecond)},
		{"2026-11-21T01:02:03.123456+01:00", at(123456 * time.Microsecond)}, // Mynewt
		{"2026-11-21T01:02:03Z", at(0)},
		{"2026-11-21T01:02:03.", at(0)},
		{"2026-11-21T01:02:03.x", at(0)},
		{"2026-11-21T01:02", time.Time{}},
		{"2026-13-21T01:02:03", time.Time{}},
		{"\x1b[2J2026-11-21T01:02:03", time.Time{}},
		{"", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange(t, encode(reply{"datetime": tt.text}), func(c *smp.Client) {
					got, err := c.OS.Datetime(t.Context())
					var nonsense *smp.ProtocolError
					if !got.Equal(tt.want) || tt.want.IsZero() != errors.As(err, &nonsense) ||
						!tt.want.IsZero() && err != nil {
						t.Errorf("Datetime = %v, %v, want %v", got, err, tt.want)
					}
				})
			})
		})
	}
}

func TestSetDatetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := time.FixedZone("somewhere", 2*3600)
		sent := exchange(t, []byte{0xbf, 0xff}, func(c *smp.Client) {
			if err := c.OS.SetDatetime(t.Context(), time.Date(2026, 11, 21, 1, 2, 3, 999, zone)); err != nil {
				t.Error(err)
			}
		})
		want := []string{"0a00001e00000004a1" + hex.EncodeToString([]byte("\x68datetime\x732026-11-21T01:02:03"))}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestBootloader(t *testing.T) {
	tests := []struct {
		name   string
		first  []byte
		second []byte
		want   smp.BootloaderInfo
	}{
		{"MCUboot", encode(reply{"bootloader": "MCUboot"}), encode(reply{"mode": 3, "no-downgrade": true}),
			smp.BootloaderInfo{Name: "MCUboot", Mode: smp.ModeSwapMove, NoDowngrade: true}},
		{"does not know", encode(reply{"bootloader": "MCUboot"}), encode(reply{"mode": -1}),
			smp.BootloaderInfo{Name: "MCUboot", Mode: smp.ModeUnknown}},
		{"mode of tomorrow", encode(reply{"bootloader": "MCUboot"}), encode(reply{"mode": 12}),
			smp.BootloaderInfo{Name: "MCUboot", Mode: 12}},
		{"absurd mode", encode(reply{"bootloader": "MCUboot"}), encode(reply{"mode": int64(1) << 40}),
			smp.BootloaderInfo{Name: "MCUboot", Mode: smp.ModeUnknown}},
		{"other bootloader", encode(reply{"bootloader": "redboot"}), encode(reply{"err": reply{"group": 0, "rc": 3}}),
			smp.BootloaderInfo{Name: "redboot", Mode: smp.ModeUnknown}},
		{"old server", encode(reply{"bootloader": "redboot"}), rc(3),
			smp.BootloaderInfo{Name: "redboot", Mode: smp.ModeUnknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				c, l := settled(t, func(l *link, p []byte) {
					if n++; n == 1 {
						l.reply(response(p, tt.first))
					} else {
						l.reply(response(p, tt.second))
					}
				}, smp.Options{})
				got, err := c.OS.Bootloader(t.Context())
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("Bootloader: %v (-want +got):\n%s", err, diff)
				}
				query := l.requests()[1]
				if want := "\xa1\x65query\x64mode"; string(query[smp.HeaderLen:]) != want {
					t.Errorf("query %x, want %x", query[smp.HeaderLen:], want)
				}
			})
		})
	}
}

func TestSwapModeNames(t *testing.T) {
	got := []string{smp.ModeUnknown.String(), smp.ModeSingleSlot.String(), smp.ModeSwapOffset.String(),
		smp.SwapMode(10).String(), smp.SwapMode(-2).String()}
	want := []string{"unknown", "single slot", "swap using offset", "mode 10", "mode -2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// Zephyr reads force as a CBOR bool and ignores anything else without a word.
func TestResetRequests(t *testing.T) {
	tests := []struct {
		options smp.ResetOptions
		want    string
	}{
		{smp.ResetOptions{}, "0a00000100000005a0"},
		{smp.ResetOptions{Force: true}, "0a00000800000005a165666f726365f5"},
		{smp.ResetOptions{BootMode: smp.BootBootloader}, "0a00000c00000005a169626f6f745f6d6f646501"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			sent := exchange(t, []byte{0xbf, 0xff}, func(c *smp.Client) {
				if err := c.OS.Reset(t.Context(), tt.options); err != nil {
					t.Error(err)
				}
			})
			if diff := cmp.Diff([]string{tt.want}, sent); diff != "" {
				t.Errorf("%+v sent (-want +got):\n%s", tt.options, diff)
			}
		})
	}
}

func TestParams(t *testing.T) {
	for _, tt := range []struct {
		size, count uint64
		want        smp.Params
	}{
		{384, 4, smp.Params{BufferSize: 384, BufferCount: 4, Known: true}},
		{1 << 40, 1 << 63, smp.Params{BufferSize: 1<<31 - 1, BufferCount: 1<<31 - 1, Known: true}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := connect(t, answeringOnce(encode(reply{"buf_size": tt.size, "buf_count": tt.count})), smp.Options{})
			got, err := c.OS.Params(t.Context())
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("Params: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
