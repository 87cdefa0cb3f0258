package dfu_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestTwoLineBuffers talks to a stock Zephyr that nothing paces, as over USB: of every packet, all lines beyond the
// second get lost.
func TestTwoLineBuffers(t *testing.T) {
	for _, buffer := range []int{256, 384, 2048} {
		t.Run(strconv.Itoa(buffer), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, sim.Options{RXLines: 2, BufSize: buffer, LineTime: time.Millisecond})
				defer d.Close()
				c, err := dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				start := time.Now()
				text := strings.Repeat("x", buffer-40)
				if got, err := c.OS.Echo(t.Context(), text); err != nil || got != text {
					t.Fatalf("Echo of %d bytes = %d bytes, %v", len(text), len(got), err)
				}
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("the echo took %v", took)
				}
				data := load(t, "app-2.0.0.bin").Bytes()
				start = time.Now()
				got, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{})
				if err != nil {
					t.Fatal(err)
				}
				if s := got.Tuning; s.LineGap == 0 || s.PacketLimit != buffer-4 {
					t.Errorf("settled on %+v", s)
				}
				if rate := float64(len(data)) / time.Since(start).Seconds(); rate < 20_000 {
					t.Errorf("%.0f bytes/s, want 20 kB/s: a line of 93 bytes every 2 ms", rate)
				}
			})
		})
	}
}

// TestInFlight: as many requests are in flight as the device holds beside an answer.
func TestInFlight(t *testing.T) {
	for _, tt := range []struct {
		name   string
		device sim.Options
		want   int
	}{
		{"each request takes 40 ms", sim.Options{Latency: 20 * time.Millisecond}, 3},
		{"a full wire", sim.Options{Baud: 115200}, 3},
		{"a full wire and latency", sim.Options{Baud: 115200, Latency: 5 * time.Millisecond}, 3},
		{"three buffers", sim.Options{BufCount: 3, Latency: 20 * time.Millisecond}, 2},
		{"two buffers", sim.Options{BufCount: 2, Latency: 20 * time.Millisecond}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, dial := board(t, tt.device)
				defer d.Close()
				c, err := dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				got, err := c.Image.Upload(t.Context(), load(t, "app-2.0.0.bin").Bytes(), smp.ImageUpload{})
				if err != nil || got.Tuning.InFlight != tt.want || got.Tuning.Lost != 0 {
					t.Errorf("settled on %+v, %v; want %d in flight", got.Tuning, err, tt.want)
				}
			})
		})
	}
}
