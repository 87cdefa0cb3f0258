package sim

import (
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// maxUnread is how much text waits for the next USB host, in bytes.
const maxUnread = 8 << 10

// print writes lines on the console: a host on a UART gets them if it listens, one on USB when it opens the port. The lock is held.
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

// announce prints what an application says when it comes up (Zephyr kernel/banner.c, samples/subsys/mgmt/mcumgr/smp_svr). The lock is held.
func (d *Device) announce() {
	d.print("*** Booting Zephyr OS build v"+d.o.Kernel+" ***",
		"[00:00:00.000,000] \x1b[0m<inf> smp_sample: build time: "+buildTime+"\x1b[0m")
}

const buildTime = "Jan  1 2026 00:00:00"

// report prints what MCUboot says about its decisions (MCUboot boot/zephyr/main.c, bootutil/src). The lock is held.
func (d *Device) report(pairs [][2]candidate, plans []plan) {
	d.print("*** Booting MCUboot v2.3.0 ***", "*** Using Zephyr OS build v"+d.o.Kernel+" ***", "I: Starting bootloader")
	for i, p := range plans {
		d.print(d.rules.words(i, pairs[i], p)...)
	}
	switch run := plans[0].run; {
	case d.flash.note.Recovery && run >= 0:
		d.print("I: Enter the serial recovery mode")
	case run < 0:
		d.print("E: Unable to find bootable image")
	default:
		d.print(fmt.Sprintf("I: Bootloader chainload address offset: 0x%x", slotAddress(run, len(d.flash.slot(0)))),
			"I: Image version: "+versionWords(headerVersion(d.flash.slot(run))), "I: Jumping to the first image slot")
	}
}

// words is what the bootloader says about the slots of one image.
func (r rules) words(number int, s [2]candidate, p plan) []string {
	if !r.mode.swaps() {
		return r.wordsDirect(number, s, p)
	}
	t := swapTypeOf(s[0].trailer, s[1].trailer)
	if r.mode == Overwrite && t == swapRevert {
		t = swapNone
	}
	lines := []string{fmt.Sprintf("I: Image index: %d, Swap type: %s", number, [...]string{"none", "test", "perm", "revert"}[t])}
	switch {
	case p.erase[1] && s[1].content == valid && r.mode == Overwrite:
		lines = append(lines, "E: Insufficient version in secondary slot")
	case p.erase[1] && s[1].content == valid:
		lines = append(lines, fmt.Sprintf("I: Image %d in slot 1 erased due to downgrade prevention", number))
	case p.erase[1]:
		lines = append(lines, "E: Image in the secondary slot is not valid!")
	case p.move == copyOver:
		lines = append(lines, fmt.Sprintf("I: Image %d upgrade secondary slot -> primary slot", number), "I: Erasing the primary slot")
	case p.move == exchange:
		lines = append(lines, "I: Starting swap using move algorithm.")
	case p.move != keep:
		lines = append(lines, "I: Starting swap using offset algorithm.")
	}
	if p.run < 0 {
		lines = append(lines, "E: Image in the primary slot is not valid!")
	}
	return lines
}

var slotNames = [2]string{"primary", "secondary"}

func (r rules) wordsDirect(number int, s [2]candidate, p plan) (lines []string) {
	if s[0].content != empty {
		lines = append(lines, "I: Primary slot: version="+s[0].version.String())
	} else {
		lines = append(lines, fmt.Sprintf("I: Image %d primary slot: image not found", number))
	}
	if s[1].content != empty {
		lines = append(lines, "I: Secondary slot: version="+s[1].version.String())
	} else {
		lines = append(lines, fmt.Sprintf("I: Image %d secondary slot: image not found", number))
	}
	for _, n := range byVersion(s) {
		if p.erase[n] && s[n].content == invalid {
			lines = append(lines, "E: Image in the "+slotNames[n]+" slot is not valid!")
		}
	}
	if p.run < 0 {
		return append(lines, fmt.Sprintf("I: No slot to load for image %d", number))
	}
	return append(lines, fmt.Sprintf("I: Image %d loaded from the %s slot", number, slotNames[p.run]))
}

func versionWords(v image.Version) string {
	return fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Revision)
}
