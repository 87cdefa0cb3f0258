package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/smp/sim"
)

// most are the boards that are shown before the hands rest: nobody looks on for longer.
const most = 1000

// Demo is a rack of virtual boards and the hands that plug them in.
type Demo struct {
	folder folder
	rack   *sim.Rack

	mu    sync.Mutex // guards what follows
	shown map[string]Sight
	taken int // boards so far
}

// Sight is what hands see of a slot.
type Sight struct {
	State   string // as the page has it
	Percent int    // of the upload; -1: there is none
}

// Open makes the files of a station in a folder, and a rack for its boards. [Demo.Close] ends it.
func Open(dir string) (*Demo, error) {
	f, err := makeFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &Demo{folder: f, rack: sim.NewRack(), shown: map[string]Sight{}}, nil
}

// File is the path of the file of the station.
func (d *Demo) File() string { return filepath.Join(d.folder.path, "station.toml") }

// Bus is where the boards are.
func (d *Demo) Bus() bus.Bus { return bus.OfRack(d.rack) }

// See tells the hands what a slot shows.
func (d *Demo) See(slot string, s Sight) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown[slot] = s
}

func (d *Demo) sight(slot string) Sight {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown[slot]
}

// Close unplugs all boards.
func (d *Demo) Close() error { return d.rack.Close() }

// Run plays the hands until ctx ends, or all boards were shown.
func (d *Demo) Run(ctx context.Context) error {
	failed := make([]error, len(slots))
	var hands sync.WaitGroup
	for i, s := range slots {
		hands.Go(func() {
			rest(ctx, time.Duration(i)*1300*time.Millisecond)
			for failed[i] == nil && ctx.Err() == nil {
				n, ok := d.next()
				if !ok {
					return
				}
				failed[i] = d.play(ctx, s.location, s.name, n)
			}
		})
	}
	hands.Wait()
	return errors.Join(failed...)
}

// next is the number of the next board.
func (d *Demo) next() (int, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken++
	return d.taken - 1, d.taken <= most
}

// fate is what becomes of a board.
type fate int

const (
	good   fate = iota
	locked      // it trusts another key
	pulled      // somebody pulls it out in the middle
	dead        // it does not come back from its reset
)

// fateOf is that of a board by its number: of the first eight, three fail.
func fateOf(n int) fate {
	return map[int]fate{3: locked, 5: pulled, 6: dead}[n%8]
}

// play takes one board from the box to its slot and back.
func (d *Demo) play(ctx context.Context, location, slot string, n int) error {
	fate := fateOf(n)
	o := sim.Options{Key: d.folder.ours, Baud: 115200, Board: "demo_board", BootTime: 800 * time.Millisecond}
	if fate == locked {
		o.Key = d.folder.other
	}
	b, err := d.rack.Add(sim.Facts{Serial: fmt.Sprintf("E66C%08X", 0x38A1B200+n*7), Product: "Demo board"}, o)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Plug(location); err != nil {
		return err
	}
	switch fate {
	case pulled:
		d.await(ctx, slot, func(s Sight) bool { return s.Percent >= 40 })
		b.Unplug()
	case dead:
		d.await(ctx, slot, func(Sight) bool { return b.Device().Stats().Resets > 0 })
		b.Unplug()
	}
	d.await(ctx, slot, func(s Sight) bool { return slices.Contains([]string{"pass", "fail", "unknown"}, s.State) })
	rest(ctx, 7*time.Second)
	b.Unplug()
	d.await(ctx, slot, func(s Sight) bool { return s.State == "empty" || fate == pulled || fate == dead })
	rest(ctx, 2*time.Second)
	return nil
}

// await looks at a slot until it shows something, or for two minutes.
func (d *Demo) await(ctx context.Context, slot string, is func(Sight) bool) {
	for range 1200 {
		if is(d.sight(slot)) || ctx.Err() != nil {
			return
		}
		rest(ctx, 100*time.Millisecond)
	}
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
