package device

import (
	"net"
	"testing"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// TestIdentity: which port may be talked to at once when it comes back. The other one is left alone for a moment,
// because a bootloader would take that for a wish to stay.
func TestIdentity(t *testing.T) {
	application := transport.Port{USB: true, VID: 0x2fe3, PID: 4, Product: "Board"}
	bootloader := transport.Port{USB: true, VID: 0x2fe3, PID: 0x100, Product: "MCUBOOT"}
	for _, tt := range []struct {
		name        string
		awaits      identity
		before, now transport.Port
		want        bool
	}{
		{"reset, application", firstIdentity, application, application, true},
		{"reset, bootloader", firstIdentity, application, bootloader, false},
		{"on the way into the bootloader, application", AnyIdentity, application, application, true},
		{"on the way into the bootloader, bootloader", AnyIdentity, application, bootloader, true},
		{"on the way out of the bootloader, application", OtherIdentity, bootloader, application, true},
		{"on the way out of the bootloader, bootloader", OtherIdentity, bootloader, bootloader, false},
		{"another text alone", firstIdentity, application,
			transport.Port{USB: true, VID: 0x2fe3, PID: 4, Product: "MCUBOOT"}, false},
	} {
		if got := tt.awaits.fits(tt.before, tt.now); got != tt.want {
			t.Errorf("%s: fits = %v, want %v", tt.name, got, tt.want)
		}
	}
	d := &Device{Port: application, current: bootloader}
	if d.Await(OtherIdentity); d.trail.first != bootloader {
		t.Errorf("on the way out of the bootloader the device looks like %+v, want %+v", d.trail.first, bootloader)
	}
}

// TestFit keeps a device with large buffers from getting more than the link carries.
func TestFit(t *testing.T) {
	const console = transport.MaxFramed + 4 // what the framing adds counts too
	tests := []struct {
		name, address string
		have, want    smp.Options
	}{
		{"UDP", "udp:127.0.0.1", smp.Options{Tries: 2}, smp.Options{Tries: 2, MaxBuffer: 1472}},
		{"UDP, IPv6", "udp:[::1]:1337", smp.Options{}, smp.Options{MaxBuffer: 1452}},
		{"UDP, buffer given", "udp:127.0.0.1", smp.Options{Buffer: 2048}, smp.Options{Buffer: 1472, MaxBuffer: 1472}},
		{"UDP, small buffer given", "udp:127.0.0.1", smp.Options{Buffer: 300},
			smp.Options{Buffer: 300, MaxBuffer: 1472}},
		{"UDP, mtu given", "udp:127.0.0.1", smp.Options{MaxBuffer: 512}, smp.Options{MaxBuffer: 512}},
		{"UDP, large mtu given", "udp:127.0.0.1", smp.Options{MaxBuffer: 4096}, smp.Options{MaxBuffer: 1472}},
		{"console", "", smp.Options{Buffer: 2048}, smp.Options{Buffer: 2048, MaxBuffer: console}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			here, there := net.Pipe()
			defer there.Close()
			link := transport.NewConn(here, transport.Options{})
			defer link.Close()
			if tt.address != "" {
				var err error
				if link, err = transport.Dial(t.Context(), tt.address, transport.Options{}); err != nil {
					t.Skip(err)
				}
				defer link.Close()
			}
			if got := fit(tt.have, link); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
