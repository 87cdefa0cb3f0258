package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestUpgrade: a board that is refused, one that never answers, one that answers the second time, one whose own check
// fails and one that has the image do not keep the others from being updated. Each hears its own events.
func TestUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		events := map[string]int{}
		target := func(name string, o sim.Options) fleet.Target {
			board, err := sim.NewDevice(o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { board.Close() })
			return fleet.Target{
				Board: fleet.Board{Name: name},
				Dial: func(context.Context) (*smp.Client, error) {
					return smp.NewClient(board.Link(), smp.Options{}), nil
				},
				OnEvent: func(dfu.Event) { mu.Lock(); events[name]++; mu.Unlock() },
			}
		}
		file := load(t, "app-2.0.0.bin")
		refused, silent, second := target("refused", sim.Options{}), target("silent", sim.Options{}),
			target("second", sim.Options{})
		refused.Refused = &fleet.PortsError{Ports: []candidate{{Port: "a"}, {Port: "b"}}}
		silent.Dial = func(context.Context) (*smp.Client, error) { return nil, fmt.Errorf("echo: %w", smp.ErrNoReply) }
		dial, tries := second.Dial, 0
		second.Dial = func(ctx context.Context) (*smp.Client, error) {
			if tries++; tries == 1 {
				return nil, smp.ErrNoReply
			}
			return dial(ctx)
		}
		checked := target("checked", sim.Options{})
		checked.Check = func(context.Context) error { return errors.New("no light") }
		reports := fleet.Upgrade(t.Context(),
			[]fleet.Target{target("plain", sim.Options{}), refused, silent, second, checked,
				target("same", sim.Options{Factory: file.Bytes()})},
			[]dfu.Target{{File: file}}, dfu.Options{}, fleet.Options{Retry: 1})
		var got []string
		for _, r := range reports {
			text := fmt.Sprintf("%s %s, %d tries, events: %v", r.Board.Name, r.Value.Result, r.Attempts,
				events[r.Board.Name] > 0)
			if r.Err != nil {
				text += ", " + r.Err.Error()
			}
			got = append(got, text)
		}
		want := []string{
			"plain confirmed, 1 tries, events: true",
			"refused , 0 tries, events: false, the board has several ports that fit: a (if=0), b (if=0)",
			"silent , 2 tries, events: false, echo: no reply",
			"second confirmed, 2 tries, events: true",
			"checked reverted, 1 tries, events: true, the device does not run the new image",
			"same already-running, 1 tries, events: false",
		}
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " "+smp.Hash(file.Hash()).Short())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func load(t *testing.T, name string) *image.Image {
	t.Helper()
	b, err := os.ReadFile("../../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	i, err := image.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return i
}
