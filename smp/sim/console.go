package sim

import (
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// maxUnread is how much text waits for the next USB host, in bytes.
const maxUnread = 8 << 10

// print writes lines on the console: a host on a UART gets them if it listens, one on USB when it opens the port. The
// lock is held.
func (d *Device) print(lines ...string) {
	if !d.o.Console {
		return
	}
	for _, line := range lines {
		text := []byte(line + "\r\n")
		if len(d.unread)+len(text) <= maxUnread {
			d.unread = append(d.unread, text...)
		}
		for p := range d.ports {
			if s, ok := p.(*stream); ok && !s.usb {
				s.print(text)
			}
		}
	}
}

// takeUnread gives what was printed since the last boot and no USB host has read. The lock is held.
func (d *Device) takeUnread() []byte {
	text := d.unread
	d.unread = nil
	return text
}

// announce prints what an application says when it comes up (Zephyr kernel/banner.c,
// samples/subsys/mgmt/mcumgr/smp_svr). The lock is held.
func (d *Device) announce() {
	d.print("*** Booting Zephyr OS build v"+d.o.Kernel+" ***",
		"[00:00:00.000,000] \x1b[0m<inf> smp_sample: build time: "+buildTime+"\x1b[0m")
}

const buildTime = "Jan  1 2026 00:00:00"

func versionWords(v image.Version) string {
	return fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Revision)
}
