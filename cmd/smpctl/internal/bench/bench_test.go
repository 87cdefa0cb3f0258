package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/measure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

func TestBenchOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board, err := sim.NewDevice(sim.Options{Baud: 115200, RXLines: 2, LineTime: 40 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer board.Close()
		c := smp.NewClient(transport.NewConn(board.Stream(), transport.Options{Baud: 115200}),
			smp.Options{Timeout: 9 * time.Second, Tries: 1, Rate: 115200 / transport.BitsPerByte})
		defer c.Close()
		params, err := c.Negotiate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := app.New(app.Streams{Out: io.Discard, Err: io.Discard}, nil)
		a.Flags.Quiet = true
		l := measure.Link{Params: params, Limit: c.PacketLimit(), Depth: measure.Depth(params, 0), Baud: 115200}
		r, err := measureLink(t.Context(), a, c, l, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		r.Port, r.Runs = "/dev/ttyS0", view.RunsApplication
		var text bytes.Buffer
		if err := r.Text(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"device     /dev/ttyS0, application, SMP version 2, 4 packet buffers of 384 bytes\n" +
				"wire       115200 baud: 11.5 kB/s\n",
			" of 3\n", "upload     ", "limit      packets of more than ",
			"faster     CONFIG_UART_MCUMGR_RX_BUF_COUNT=15: about ",
		} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%q is missing in\n%s", want, text.String())
			}
		}
		doc, err := json.Marshal(r)
		if err != nil ||
			!bytes.Contains(doc,
				[]byte(`"measurements":[{"request":"echo","packet_bytes":16,"lines":1,"in_flight":1,"sent":`)) {
			t.Errorf("got %v, %s", err, doc)
		}
	})
}

// TestBenchKnowsItsWire: a baud rate says something of a serial port, nothing of USB CDC ACM or TCP.
func TestBenchKnowsItsWire(t *testing.T) {
	board, err := sim.NewDevice(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer board.Close()
	c := smp.NewClient(board.Link(), smp.Options{})
	defer c.Close()
	tests := []struct {
		name string
		kind transport.Kind
		port transport.Port
		want int
	}{
		{"serial port", transport.KindPath, transport.Port{Name: "/dev/ttyS0"}, 57600},
		{"virtual device", device.KindSim, transport.Port{}, 57600},
		{"USB by name", transport.KindPath, transport.Port{Name: "/dev/ttyACM0", USB: true}, 0},
		{"USB by identity", transport.KindUSB, transport.Port{Name: "/dev/ttyACM0", USB: true}, 0},
		{"the only port", transport.KindAny, transport.Port{Name: "COM3", USB: true}, 0},
		{"TCP", transport.KindTCP, transport.Port{}, 0},
	}
	for _, tt := range tests {
		d := &device.Device{Port: tt.port}
		d.Settings.Address.Kind, d.Settings.Transport.Baud = tt.kind, 57600
		if got := benchLink(d, c, smp.Params{}).Baud; got != tt.want {
			t.Errorf("%s: baud %d, want %d", tt.name, got, tt.want)
		}
	}
}
