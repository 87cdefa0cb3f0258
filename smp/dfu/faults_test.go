package dfu_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

var (
	faultSeeds = flag.Int("faults.seeds", 8, "seeds of each kind of fault")
	faultSeed  = flag.Int("faults.seed", -1, "the one seed to run")
	faultKind  = flag.String("faults.kind", "", "the one kind of fault to run")
)

// trial is one update under faults.
type trial struct {
	device sim.Options
	wire   sim.Wire
	once   bool // the wire's faults are over with the first link
	o      dfu.Options
	uart   bool // the link outlives a reset
	used   bool // the slot for the update holds another image
}

// newTrial alternates between whole updates and mere uploads, and between links that end at a reset and others.
func newTrial(seed int) trial {
	s := trial{uart: seed/2%2 == 1, wire: sim.Wire{Seed: uint64(seed)}}
	s.device = sim.Options{Baud: 115200, Faults: sim.Faults{Seed: uint64(seed)}}
	if seed%2 == 1 {
		s.o.Mode = dfu.UploadOnly
	}
	return s
}

// TestFaults runs whole updates under each kind of fault. Whatever happens, done means done, anything else is an error
// of a known kind within the kind's time, and the same command brings a device that is reachable again to the end.
func TestFaults(t *testing.T) {
	for _, k := range faultKinds {
		if *faultKind != "" && *faultKind != k.name {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			var sum tally
			for seed := range *faultSeeds {
				if *faultSeed >= 0 {
					seed = *faultSeed
				}
				synctest.Test(t, func(t *testing.T) { k.run(t, seed, &sum) })
				if *faultSeed >= 0 {
					break
				}
			}
			t.Logf("| %s | %s |", k.name, sum)
		})
	}
}

// tally counts the outcomes of a kind.
type tally struct {
	done, errors, resent, bytes int
	slowest                     time.Duration
}

func (s tally) String() string {
	return fmt.Sprintf("%d | %d | %.1f | %.1f %%",
		s.done, s.errors, s.slowest.Seconds(), 100*float64(s.resent)/float64(s.bytes))
}

// hung is far beyond what any kind may take.
const hung = time.Hour

var errHung = errors.New("the update hangs")

func (k kind) run(t *testing.T, seed int, sum *tally) {
	s := newTrial(seed)
	k.set(&s, seed)
	s.device.Factory = load(t, "app-1.0.0.bin").Bytes()
	d, err := sim.NewDevice(s.device)
	if err != nil {
		t.Fatal(err)
	}
	dial, stop := s.dialer(d)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(t.Context(), hung, errHung)
	defer cancel()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("-faults.kind %q -faults.seed %d: %s", k.name, seed, fmt.Sprintf(format, args...))
	}
	if s.used {
		use(t, d)
	}
	targets := []dfu.Target{{File: load(t, "app-2.0.0.bin")}}
	start := time.Now()
	report, err := dfu.Run(ctx, dial, targets, s.o)
	took := time.Since(start)
	sum.count(report, took, err, len(targets[0].File.Bytes()))
	if took > k.within {
		fail("took %v, want at most %v; error: %v", took, k.within, err)
	}
	if lost := d.Stats().LostPackets; lost > 0 && !k.overruns {
		fail("%d packets found no buffer", lost)
	}
	if err == nil {
		if wrong := missing(d, targets[0].File, s.o.Mode); wrong != "" {
			fail("reported %s, but %s", report.Result, wrong)
		}
		return
	}
	t.Logf("seed %d, after %v: %v", seed, took.Round(time.Millisecond), err)
	if k.sure {
		fail("after %v: %v", took, err)
	} else if !honest(err) {
		fail("error of an unknown kind: %v", err)
	}
	if k.lasts {
		return
	}
	if wrong := s.again(ctx, d, targets); wrong != "" {
		fail("after %v, the same command on a clean link: %s", err, wrong)
	}
}

// again runs the same command over a clean link and says what is wrong then.
func (s trial) again(ctx context.Context, d *sim.Device, targets []dfu.Target) string {
	time.Sleep(10 * time.Second) // fake: a device that was resetting is back
	s.wire = sim.Wire{}
	dial, stop := s.dialer(d)
	defer stop()
	report, err := dfu.Run(ctx, dial, targets, s.o)
	if err != nil {
		return err.Error()
	}
	if wrong := missing(d, targets[0].File, s.o.Mode); wrong != "" {
		return fmt.Sprintf("reported %s, but %s", report.Result, wrong)
	}
	return ""
}

// use puts an image into the slot for the update, so that it must be erased.
func use(t *testing.T, d *sim.Device) {
	dial, _ := trial{}.dialer(d)
	if _, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-3.0.0.bin")}},
		dfu.Options{Mode: dfu.UploadOnly}); err != nil {
		t.Fatal(err)
	}
}

func (s *tally) count(r dfu.Report, took time.Duration, err error, size int) {
	if err == nil {
		s.done++
	} else {
		s.errors++
	}
	s.slowest = max(s.slowest, took)
	s.resent += r.Upload.Resent
	s.bytes += size
}

// missing asks the device's flash, not its server, what an update that says it is done has left undone.
func missing(d *sim.Device, want *image.Image, m dfu.Mode) string {
	slot := 0
	if m == dfu.UploadOnly {
		slot = 1
	}
	if got := d.SlotBytes(0, slot); !bytes.Equal(got[:len(want.Bytes())], want.Bytes()) {
		return fmt.Sprintf("slot %d does not hold the file", slot)
	}
	if m == dfu.UploadOnly {
		return ""
	}
	if i := slices.IndexFunc(d.Slots(), func(s sim.SlotState) bool { return s.Active }); i != 0 {
		return fmt.Sprintf("slot entry %d runs", i)
	}
	if got := d.Slots()[0]; !bytes.Equal(got.Hash, want.Hash()) || !got.Confirmed {
		return fmt.Sprintf("%s runs, confirmed %v", got.Version, got.Confirmed)
	}
	return ""
}

// honest reports whether an error says something true about a link or a device that failed.
func honest(err error) bool {
	for _, known := range []error{smp.ErrNoReply, smp.ErrStalled, smp.ErrClosed, dfu.ErrNotBack} {
		if errors.Is(err, known) {
			return true
		}
	}
	var refused *smp.DeviceError
	return errors.As(err, &refused)
}

// dialer gives links to the device, with the wire's faults. Each link has a seed of its own.
func (s trial) dialer(d *sim.Device) (dial dfu.Dial, stop func()) {
	open, stop := func() io.ReadWriteCloser { return d.Stream() }, func() { d.Close() }
	if s.uart {
		open, stop = uart(d)
	}
	wire := s.wire
	return func(context.Context) (*smp.Client, error) {
		stream := wire.Wrap(open())
		wire.Seed += 1000
		if s.once {
			wire = sim.Wire{}
		}
		return smp.NewClient(transport.NewConn(stream, transport.Options{Baud: s.device.Baud}),
			smp.Options{Rate: s.device.Baud / 10}), nil
	}, stop
}

// uart opens ports that outlive a reset.
func uart(d *sim.Device) (open func() io.ReadWriteCloser, stop func()) {
	l := &pipes{make(chan net.Conn), make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Serve(ctx, l)
	}()
	open = func() io.ReadWriteCloser {
		host, device := net.Pipe()
		l.conns <- device
		return host
	}
	return open, func() {
		d.Close()
		cancel()
		<-done
	}
}

// pipes is a listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { close(l.closed); return nil }
func (l *pipes) Addr() net.Addr { return nil }
