package main

import (
	"testing"

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
		{"on the way into the bootloader, application", anyIdentity, application, application, true},
		{"on the way into the bootloader, bootloader", anyIdentity, application, bootloader, true},
		{"on the way out of the bootloader, application", otherIdentity, bootloader, application, true},
		{"on the way out of the bootloader, bootloader", otherIdentity, bootloader, bootloader, false},
		{"another text alone", firstIdentity, application,
			transport.Port{USB: true, VID: 0x2fe3, PID: 4, Product: "MCUBOOT"}, false},
	} {
		if got := tt.awaits.fits(tt.before, tt.now); got != tt.want {
			t.Errorf("%s: fits = %v, want %v", tt.name, got, tt.want)
		}
	}
	d := &device{port: application, current: bootloader}
	if d.await(otherIdentity); d.port != bootloader {
		t.Errorf("on the way out of the bootloader the device looks like %+v, want %+v", d.port, bootloader)
	}
}
