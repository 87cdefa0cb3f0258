package sim_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp/sim"
)

// far is the device's end of a wire: it prints what it is told and keeps what it gets.
type far struct {
	*io.PipeReader
	got bytes.Buffer
}

func (f *far) Write(p []byte) (int, error) { return f.got.Write(p) }

// wired gives a wire with its two ends.
func wired(w sim.Wire) (host io.ReadWriteCloser, device *far, prints *io.PipeWriter) {
	r, prints := io.Pipe()
	device = &far{PipeReader: r}
	return w.Wrap(device), device, prints
}

// TestWireTowardsDevice pins what becomes of two lines that the host writes.
func TestWireTowardsDevice(t *testing.T) {
	const lines = "\x06\x09one\n\x04\x14two\n"
	for _, tt := range []struct {
		name string
		wire sim.Wire
		want string
	}{
		{"perfect", sim.Wire{}, lines},
		{"lost lines", sim.Wire{LoseLine: 1}, ""},
		{"lost bytes", sim.Wire{LoseByte: 1}, ""},
		{"doubled lines", sim.Wire{DoubleLine: 1}, "\x06\x09one\n\x06\x09one\n\x04\x14two\n\x04\x14two\n"},
		{"hang-up", sim.Wire{HangUpAfter: 4}, "\x06\x09on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host, device, _ := wired(tt.wire)
				defer host.Close()
				_, err := io.WriteString(host, lines)
				if cut := tt.wire.HangUpAfter > 0; cut != errors.Is(err, io.ErrClosedPipe) || !cut && err != nil {
					t.Errorf("Write: %v", err)
				}
				if got := device.got.String(); got != tt.want {
					t.Errorf("device got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestWireTowardsHost pins what the host reads of two frames, and when the last of it comes.
func TestWireTowardsHost(t *testing.T) {
	const one, two = "\x06\x09one\n\x04\x14more\n", "\x06\x09two\n"
	for _, tt := range []struct {
		name string
		wire sim.Wire
		want string
		took time.Duration
	}{
		{"perfect", sim.Wire{}, one + two, 0},
		{"lost lines", sim.Wire{LoseLine: 1}, "", 0},
		{"doubled lines", sim.Wire{DoubleLine: 1}, "\x06\x09one\n\x06\x09one\n\x04\x14more\n\x04\x14more\n" + two + two,
			0},
		{"stall", sim.Wire{Stall: 1}, one + two, 3 * time.Second},
		{"late", sim.Wire{Late: 1, LateBy: time.Minute}, one + two, time.Minute},
		{"one frame late", sim.Wire{Late: 0.5, Seed: 1}, two + one, 3 * time.Second},
		{"hang-up", sim.Wire{HangUpAfter: 3}, "\x06\x09o", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host, _, prints := wired(tt.wire)
				defer host.Close()
				go func() {
					io.WriteString(prints, one+two)
					prints.Close()
				}()
				start := time.Now()
				got, err := io.ReadAll(host)
				if err != nil || string(got) != tt.want {
					t.Errorf("host read %q, %v, want %q", got, err, tt.want)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// TestWireDamage looks for the damage of faults whose details come from a random source.
func TestWireDamage(t *testing.T) {
	line := "\x06\x09" + strings.Repeat("A", 100) + "\n"
	read := func(w sim.Wire) string {
		host, _, prints := wired(w)
		defer host.Close()
		go func() {
			io.WriteString(prints, line)
			prints.Close()
		}()
		got, err := io.ReadAll(host)
		if err != nil {
			t.Error(err)
		}
		return string(got)
	}
	for _, tt := range []struct {
		name string
		wire sim.Wire
		fits func(got string) bool
	}{
		{"flips", sim.Wire{Flip: 0.1}, func(got string) bool { return len(got) == len(line) && got != line }},
		{"lost bytes", sim.Wire{LoseByte: 0.1},
			func(got string) bool { return len(got) < len(line) && len(got) > len(line)/2 }},
		{"text before the line", sim.Wire{LogBetween: 1},
			func(got string) bool { return len(got) > len(line) && strings.HasSuffix(got, line) }},
		{"text in the line", sim.Wire{LogInside: 1}, func(got string) bool {
			return len(got) > len(line) && !strings.HasSuffix(got, line) && strings.HasPrefix(got, "\x06\x09A") &&
				strings.HasSuffix(got, "A\n")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.wire.Seed = 3
				got := read(tt.wire)
				if !tt.fits(got) {
					t.Errorf("host read %q", got)
				}
				if again := read(tt.wire); again != got {
					t.Errorf("the same seed gave %q, and before %q", again, got)
				}
				tt.wire.Seed = 4
				if other := read(tt.wire); other == got {
					t.Errorf("another seed gave the same %q", got)
				}
			})
		})
	}
}

func TestWireEchoAndStalledWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, _, _ := wired(sim.Wire{Echo: 1, StallWrite: 1, StallWriteFor: time.Second})
		defer host.Close()
		start := time.Now()
		if _, err := io.WriteString(host, "abc\n"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("Write took %v, want a second", took)
		}
		if got := readSome(t, host, 4); got != "abc\n" {
			t.Errorf("echo %q, want %q", got, "abc\n")
		}
	})
}

// TestWireClose wants Close to wake up a Read and a stalled Write.
func TestWireClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, _, _ := wired(sim.Wire{StallWrite: 1, StallWriteFor: time.Hour})
		ends := make(chan error, 2)
		go func() { _, err := host.Read(make([]byte, 1)); ends <- err }()
		go func() { _, err := io.WriteString(host, "abc\n"); ends <- err }()
		synctest.Wait()
		start := time.Now()
		host.Close()
		for range 2 {
			if err := <-ends; err != io.ErrClosedPipe {
				t.Errorf("ended with %v, want %v", err, io.ErrClosedPipe)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}
