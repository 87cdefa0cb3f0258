package simcmd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/spf13/pflag"
)

// TestSimOptions sees that every flag of sim reaches the device.
func TestSimOptions(t *testing.T) {
	const keyFile = "../../../../testdata/app.pub.pem"
	key, err := trust.ReadPublicKey(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want sim.Options
	}{
		{"nothing", nil, sim.Options{}},
		{"key", []string{"--key", keyFile}, sim.Options{Key: key}},
		{"boot mode", []string{"--boot-mode", "ram-load"}, sim.Options{Mode: sim.RAMLoad}},
		{"baud", []string{"-b", "9600"}, sim.Options{Baud: 9600}},
		{"erase time", []string{"--erase-time", "20ms"}, sim.Options{EraseTime: 20 * time.Millisecond}},
		{"layout", []string{"--images", "2", "--slot-size", "0x8000", "--flash", "f"},
			sim.Options{Images: 2, SlotSize: 0x8000, Flash: "f"}},
		{"buffers", []string{"--buf-size", "512", "--buf-count", "2", "--rx-lines", "3"},
			sim.Options{BufSize: 512, BufCount: 2, RXLines: 3}},
		{"silent", []string{"--console=false"}, sim.Options{}},
		{"trouble", []string{"--noise", "--faults", "seed=7,flip=0.5"},
			sim.Options{Noise: true, Faults: sim.Faults{Seed: 7, Flip: 0.5}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a app.App
			var o simOptions
			flags := pflag.NewFlagSet("sim", pflag.ContinueOnError)
			a.Flags.Register(flags)
			o.register(flags)
			if err := flags.Parse(tt.args); err != nil {
				t.Fatal(err)
			}
			tt.want.Console = tt.name != "silent" // on by default
			got, err := o.options(&a)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("options: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
