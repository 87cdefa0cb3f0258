package smp_test

import (
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

var drawUpload = flag.String("draw.upload", "", "draw the upload of TestUploadPicture into this SVG file")

// watched is a moment of an upload and when it was.
type watched struct {
	at time.Duration // since the start
	smp.Moment
}

// TestUploadPicture holds what docs/design.md says of the picture docs/upload.svg against the upload that it shows: the
// device has two line buffers and takes longer for a line than the wire does, and the wire loses one line of a hundred.
func TestUploadPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moments := watchUpload(t, 1)
		end := moments[len(moments)-1]
		for _, m := range moments {
			if m.Lost < 2 && m.LineGap > 0 || m.Lost >= 2 && m.LineGap != 2*time.Millisecond {
				t.Errorf("a gap of %v after %d losses", m.LineGap, m.Lost)
			}
			if m.PacketLimit != 380 {
				t.Errorf("packets of %d bytes after %v", m.PacketLimit, m.at)
			}
		}
		if end.Lost < 5 {
			t.Errorf("%d losses: there is no noise in this picture", end.Lost)
		}
		if most := mostAllowed(moments); most != 3 {
			t.Errorf("%d requests in flight at most, with 4 buffers it should be 3", most)
		}
		if *drawUpload != "" {
			if err := os.WriteFile(*drawUpload, drawMoments(moments), 0o666); err != nil {
				t.Error(err)
			}
		}
	})
}

// watchUpload uploads 64 kB to a stock Zephyr.
func watchUpload(t *testing.T, seed uint64) []watched {
	const baud = 1_000_000
	d, err := sim.NewDevice(sim.Options{
		Baud: baud, BufSize: 384, BufCount: 4, RXLines: 2, LineTime: 1500 * time.Microsecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	wire := sim.Wire{Seed: seed, LoseLine: 0.01}
	link := transport.NewConn(wire.Wrap(d.Stream()), transport.Options{Baud: baud})
	c := smp.NewClient(link, smp.Options{Rate: baud / 10})
	defer c.Close()
	img := imageOf(t, 64_000)
	start := time.Now()
	var moments []watched
	err = c.Image.UploadWatched(t.Context(), img.Bytes(), smp.ImageUpload{Hash: img.Hash()}, func(m smp.Moment) {
		moments = append(moments, watched{time.Since(start), m})
	})
	if err != nil {
		t.Fatal(err)
	}
	if stats := d.Stats(); stats.LostPackets > 0 || stats.NoMemory > 0 {
		t.Errorf("the device ran out of packet buffers: %+v", stats)
	}
	return moments
}

func mostAllowed(moments []watched) int {
	most := 0
	for _, m := range moments {
		most = max(most, m.Allowed)
	}
	return most
}
