package sim

import "time"

// swapping is a boot that takes time because images are moved. The flash is already as it will be in the end, so that
// whoever looks from outside sees what the device is about to run, and that stays true: a reset or power cut in that
// time leaves the flash in the middle of the work, and the next boot resumes it. A flash file holds what was before
// until the time is over.
type swapping struct {
	before []byte // the flash when it began
	mode   uint8  // boot mode, which the bootloader looks at only when it has moved the images
	began  time.Time
	takes  time.Duration
	ops    int // flash operations in that time
}

// reboot runs the bootloader and brings the device back when its time has passed. The lock is held.
func (d *Device) reboot() {
	if d.shut {
		return
	}
	d.stop()
	d.interrupt()
	d.stats.Resets++
	d.boot()
}

// boot starts the bootloader, while nothing runs. The lock is held.
func (d *Device) boot() {
	d.off = false
	d.flash.note.ResetPending = true
	was := d.flash.note
	out := d.bootload()
	swap := &swapping{before: out.before, mode: was.BootMode, began: time.Now(), ops: out.ops}
	swap.takes = time.Duration(out.moved) * d.o.SwapTime
	d.early = d.waits()
	if swap.takes == 0 {
		d.booted(0)
		return
	}
	d.keep(d.flash.savePending(was))
	d.swap = swap
	d.after(swap.takes, func() {
		d.swap = nil
		d.booted(swap.takes)
	})
}

// booted goes on when the bootloader has done its work, which took so long. The lock is held.
func (d *Device) booted(took time.Duration) {
	d.keep(d.flash.saveAll())
	switch d.conclude(); {
	case d.flash.note.Stuck:
	case d.waits():
		d.listen(max(time.Millisecond, d.o.RecoveryWindow-took))
	default:
		d.after(d.o.BootTime, d.start)
	}
}

// interrupt ends a boot in the middle of moving images, if there is one: the flash is then as the work that was done in
// the time has left it. The lock is held.
func (d *Device) interrupt() {
	s := d.swap
	if s == nil {
		return
	}
	d.swap, d.early = nil, false
	for p := range d.ports {
		p.powerDown()
	}
	copy(d.flash.mem, s.before)
	d.flash.note.BootMode = s.mode
	done := float64(time.Since(s.began)) / float64(s.takes)
	d.loader(min(1+int(done*float64(s.ops)), s.ops)).run()
}
