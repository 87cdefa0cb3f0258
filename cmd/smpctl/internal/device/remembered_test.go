package device

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

// TestRememberedImages keeps the hashes of a device for a minute, for its own address only and for the user alone.
func TestRememberedImages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home := t.TempDir()
		a := &app.App{Env: func(name string) (string, bool) { return home, name == "XDG_CACHE_HOME" },
			Log: slog.New(slog.DiscardHandler)}
		remember := func(address string, images ...smp.ImageState) {
			at, err := ParseAddress(address)
			if err != nil {
				t.Fatal(err)
			}
			(&Device{App: a, Settings: Settings{Address: at}}).Remember(smp.ImageList{Images: images})
		}
		offers := func(port, typed string) []string {
			a.Flags.Port = port
			offers, directive := CompleteImage(a)(nil, nil, typed)
			if directive != cobra.ShellCompDirectiveDefault {
				t.Errorf("directive %d: files are no more offered", directive)
			}
			return offers
		}
		one := smp.ImageState{Version: "1.2.3", Hash: hashOf(0x11), Active: true, Confirmed: true}
		two := smp.ImageState{Slot: 1, Version: "1.3.0\x1b[2J", Hash: hashOf(0x22), Pending: true}
		none := smp.ImageState{Slot: 1, Version: "2.0.0"}
		remember("COM7", one, two, none)
		remember("tcp:localhost:7", two)
		first := "1111111111111111\timage 0 slot 0, 1.2.3+0, active, confirmed"
		second := "2222222222222222\timage 0 slot 1, 1.3.0\x1b[2J, pending"
		for _, tt := range []struct {
			port, typed string
			want        []string
		}{
			{"COM7", "", []string{first, second}},
			{"COM7", "11", []string{first}},
			{"COM7", "3", nil},
			{"COM7", "111111111111111111", []string{"111111111111111111" + first[16:]}},
			{"tcp:localhost:7", "", []string{second}},
			{"COM8", "", nil},
		} {
			if diff := cmp.Diff(tt.want, offers(tt.port, tt.typed)); diff != "" {
				t.Errorf("%s %q (-want +got):\n%s", tt.port, tt.typed, diff)
			}
		}
		path := filepath.Join(home, "smpctl", rememberedFile)
		info, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v; want a file for the user alone", info.Mode(), err)
		}
		time.Sleep(rememberedFor + time.Second)
		if got := offers("COM7", ""); got != nil {
			t.Errorf("after a minute: %q", got)
		}
		if err := os.WriteFile(path, []byte(`null`), 0o600); err != nil {
			t.Fatal(err)
		}
		remember("COM7", one)
		if diff := cmp.Diff([]string{first}, offers("COM7", "")); diff != "" {
			t.Errorf("after a file of no use (-want +got):\n%s", diff)
		}
	})
}

func hashOf(b byte) smp.Hash {
	h := make(smp.Hash, 32)
	for i := range h {
		h[i] = b
	}
	return h
}

// TestUSBAddresses sees that what is offered for a port means that port, and is short.
func TestUSBAddresses(t *testing.T) {
	port := func(name string, pid transport.USBID, serial, location string, number int) transport.Port {
		return transport.Port{Name: name, USB: true, VID: 0x2fe3, PID: pid, Serial: serial, Location: location,
			Interface: number, Product: "board"}
	}
	ports := []transport.Port{
		{Name: "ttyS0", Interface: transport.AnyInterface},
		port("ACM0", 1, "A", "1-1", 0),
		port("ACM1", 2, "B", "1-2", 0), port("ACM2", 2, "B", "1-2", 2),
		port("ACM3", 3, "C", "1-3", 0), port("ACM4", 3, "D", "1-4", 0),
		port("ACM5", 4, "", "1-5", 0), port("ACM6", 4, "", "1-6", 0),
		port("ACM7", 5, "", "", 0), port("ACM8", 5, "", "", 0),
	}
	want := []string{
		"usb:2fe3:0001\tboard (ACM0)",
		"usb:2fe3:0002,if=0\tboard (ACM1)", "usb:2fe3:0002,if=2\tboard (ACM2)",
		"usb:2fe3:0003,serial=C\tboard (ACM3)", "usb:2fe3:0003,serial=D\tboard (ACM4)",
		"usb:2fe3:0004,location=1-5\tboard (ACM5)", "usb:2fe3:0004,location=1-6\tboard (ACM6)",
	}
	if diff := cmp.Diff(want, portOffers(ports)[len(ports):]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range want {
		address, _, _ := strings.Cut(text, "\t")
		if _, err := ParseAddress(address); err != nil {
			t.Error(err)
		}
	}
}
