package update

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/spf13/cobra"
)

// plugged is a board and where it is at first; nowhere if that is empty.
type plugged struct {
	location string
	facts    sim.Facts
	options  sim.Options
	boot     []sim.Facts // as its bootloader shows itself
}

// hands pull boards out and plug them in while an upgrade goes on.
type hands struct {
	*testing.T
	boards []*sim.Board
}

// plug puts a board into a socket.
func (h hands) plug(i int, location string) {
	if err := h.boards[i].Plug(location); err != nil {
		h.Error(err)
	}
}

// until waits for something, in fake time.
func (h hands) until(happened func() bool) {
	for range 100_000 {
		if happened() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	h.Error("it never happens")
}

// upload waits until the upload to a board has begun.
func (h hands) upload(i int) {
	h.until(func() bool { return h.boards[i].Device().Stats().Requests > 20 })
}

// reset waits until the board is reset.
func (h hands) reset(i int) { h.until(func() bool { return !h.boards[i].Device().Alive() }) }

// running are the versions that the boards run.
func (h hands) running() []string {
	var versions []string
	for _, b := range h.boards {
		version, _, _ := b.Device().Running(0)
		versions = append(versions, strings.TrimSuffix(version.String(), "+0"))
	}
	return versions
}

// TestUpgradePlugged upgrades boards that come, go and change places meanwhile: the one that was meant is upgraded, or
// the command fails, and no other one is touched.
func TestUpgradePlugged(t *testing.T) {
	const file = "../../../../testdata/app-2.0.0.bin"
	console, second := sim.Interface{Number: 0, Name: "console", Silent: true}, sim.Interface{Number: 2}
	slow := sim.Options{Baud: 115200}
	waits := sim.Options{Baud: 115200, RecoveryWindow: 500 * time.Millisecond}
	mcuboot := sim.Facts{VID: 0x2fe3, PID: 0x100, Product: "MCUBOOT"}
	for _, tt := range []struct {
		name    string
		boards  []plugged
		address string
		hands   func(hands) // what they do meanwhile
		code    int
		said    string   // on standard error
		runs    []string // version of each board
	}{
		{
			name: "nothing happens", address: "usb:serial=E66C0001",
			boards: []plugged{{"1-1.1", sim.Facts{Serial: "E66C0001"}, slow, nil}}, runs: []string{"2.0.0"},
		}, {
			name: "pulled out in the middle, and put into another socket", address: "usb:serial=E66C0001",
			boards: []plugged{{"1-1.1", sim.Facts{Serial: "E66C0001"}, slow, nil}},
			hands: func(h hands) {
				h.upload(0)
				h.boards[0].Unplug()
				time.Sleep(5 * time.Second)
				h.plug(0, "1-1.4")
			}, runs: []string{"2.0.0"},
		}, {
			name: "pulled out for good", address: "usb:serial=E66C0001",
			boards: []plugged{{"1-1.1", sim.Facts{Serial: "E66C0001"}, slow, nil}},
			hands:  func(h hands) { h.upload(0); h.boards[0].Unplug() },
			code:   4, said: "the device did not come back within 10s", runs: []string{"1.0.0"},
		}, {
			name: "another board in its socket", address: "usb:location=1-1.1",
			boards: []plugged{
				{"1-1.1", sim.Facts{Serial: "E66C0001"}, slow, nil}, {"", sim.Facts{Serial: "E66C0002"}, slow, nil},
			},
			hands: func(h hands) { h.upload(0); h.boards[0].Unplug(); h.plug(1, "1-1.1") },
			code:  4, said: "serial number E66C0002: another board", runs: []string{"1.0.0", "1.0.0"},
		}, {
			name: "its name belongs to another board after the reset", address: "ttySIM0",
			boards: []plugged{
				{"1-1.1", sim.Facts{Serial: "E66C0001"}, slow, nil}, {"", sim.Facts{Serial: "E66C0002"}, slow, nil},
			},
			hands: func(h hands) { h.reset(0); h.plug(1, "1-1.2") }, runs: []string{"2.0.0", "1.0.0"},
		}, {
			name: "two boards with one serial number", address: "usb:location=1-1.1",
			boards: []plugged{
				{"1-1.1", sim.Facts{Serial: "1234ABCD"}, slow, nil}, {"1-1.2", sim.Facts{Serial: "1234ABCD"}, slow, nil},
			}, runs: []string{"2.0.0", "1.0.0"},
		}, {
			name: "two boards with one serial number, and the one that was meant goes", address: "ttySIM0",
			boards: []plugged{
				{"1-1.1", sim.Facts{Serial: "1234ABCD"}, slow, nil}, {"1-1.2", sim.Facts{Serial: "1234ABCD"}, slow, nil},
			},
			hands: func(h hands) { h.upload(0); h.boards[0].Unplug() },
			code:  4, said: "the device did not come back within 10s", runs: []string{"1.0.0", "1.0.0"},
		}, {
			name: "a bootloader with another identity that waits for requests", address: "usb:2fe3:0004",
			boards: []plugged{{"1-1.1", sim.Facts{Serial: "E66C0001"}, waits, []sim.Facts{mcuboot}}},
			runs:   []string{"2.0.0"},
		}, {
			name: "the second of two ports", address: "usb:2fe3:0004,if=2",
			boards: []plugged{{"1-1.1", sim.Facts{Serial: "E66C0001", Interfaces: []sim.Interface{console, second}}, waits,
				[]sim.Facts{mcuboot}}}, runs: []string{"2.0.0"},
		}, {
			name: "no serial number", address: "usb:location=1-1.2",
			boards: []plugged{{"1-1.1", sim.Facts{}, slow, nil}, {"1-1.2", sim.Facts{}, slow, nil}},
			hands:  func(h hands) { h.reset(1); h.boards[0].Device().Reset() }, runs: []string{"1.0.0", "2.0.0"},
		}, {
			name: "it comes while it is waited for", address: "usb:serial=E66C0001",
			boards: []plugged{{"", sim.Facts{Serial: "E66C0001"}, slow, nil}},
			hands:  func(h hands) { time.Sleep(5 * time.Second); h.plug(0, "1-1.1") }, runs: []string{"2.0.0"},
		}, {
			name: "it loses power for a moment", address: "usb:serial=E66C0001",
			boards: []plugged{{"1-1.1", sim.Facts{Serial: "E66C0001"}, sim.Options{Baud: 115200,
				Faults: sim.Faults{VanishAfter: 12000, VanishFor: time.Second}}, nil}}, runs: []string{"2.0.0"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rack := sim.NewRack()
				h := hands{T: t}
				for _, p := range tt.boards {
					b, err := rack.Add(p.facts, p.options, p.boot...)
					if err != nil {
						t.Fatal(err)
					}
					h.boards = append(h.boards, b)
					if p.location != "" {
						h.plug(len(h.boards)-1, p.location)
						time.Sleep(5 * time.Second) // until it has booted
					}
				}
				if tt.hands != nil {
					go tt.hands(h)
				}
				tree := func(a *app.App) *cobra.Command {
					a.Bus = device.NewRack(rack)
					return clitest.TreeOf(Commands)(a)
				}
				got := clitest.RunTree(t, tree, "upgrade", "-p", tt.address, "--wait", "10", file)
				if got.Code != tt.code || !strings.Contains(got.Err, tt.said) {
					t.Errorf("exit code %d, want %d with %q\n%s", got.Code, tt.code, tt.said, got.Err)
				}
				synctest.Wait()
				if diff := cmp.Diff(tt.runs, h.running()); diff != "" {
					t.Errorf("running (-want +got):\n%s\n%s", diff, got.Err)
				}
				if err := rack.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
