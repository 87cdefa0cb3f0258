package sim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// SerialRecovery says how the serial recovery of MCUboot was built (MCUboot boot/zephyr/Kconfig.serial_recovery). The
// zero value is a development version after 2.4.0 with the parameters command and otherwise the defaults: an upload
// overwrites the primary slot, and nothing can be marked for a test.
//
// The device stays in it when no image boots, after a reset with boot mode 1, with [Options.Recovery], and when a
// packet arrives in the [Options.RecoveryWindow]. A reset leaves it.
type SerialRecovery struct {
	Absent bool // there is none: boot modes are ignored, and a device without an application stays dark

	// Old is MCUboot up to 1.10.0: it drops requests of protocol version 2 and an echo without a word, refuses an
	// upload with keys that it does not know, takes the image number from every chunk, and answers a state write with
	// the list.
	Old bool

	// Raw is a serial port without console framing (BOOT_SERIAL_RAW_PROTOCOL, merged after 2.4.0). It has one request at
	// a time: while that is in work, what the driver collects fills eight line buffers a few bytes each. A partial
	// packet is forgotten after three seconds of silence (BOOT_SERIAL_RAW_PROTOCOL_INPUT_TIMEOUT_MS).
	Raw bool

	BufSize      int           // bytes of the largest command, 64 to 65535; 0: 1024 (BOOT_SERIAL_MAX_RECEIVE_SIZE)
	Align        int           // bytes that the flash writes at once; 0: 4
	NoParams     bool          // no parameters command (BOOT_MGMT_MCUMGR_PARAMS), as in releases up to 2.4.0
	Echo         bool          // echo command (BOOT_MGMT_ECHO)
	SlotInfo     bool          // slot info command (BOOT_SERIAL_IMG_GRP_SLOT_INFO)
	State        bool          // flags in the list, and state write (BOOT_SERIAL_IMG_GRP_IMAGE_STATE)
	NoHash       bool          // no hashes in the list (BOOT_SERIAL_IMG_GRP_HASH)
	DirectUpload bool          // image n of an upload is slot n-1 (MCUBOOT_SERIAL_DIRECT_IMAGE_UPLOAD)
	DecryptTime  time.Duration // to decrypt an image in place, after the answer to its last chunk; see [ToyCipher]
}

const (
	defaultRecoveryBuf   = 1024
	defaultRecoveryAlign = 4

	// recoveryQueue is how many packets can wait while flash is written: each takes at least one of MCUboot's line
	// buffers (BOOT_LINE_BUFS).
	recoveryQueue = 8

	// recoveryOverhead is what framing takes of the buffer. MCUboot's has a byte more than it says.
	recoveryOverhead = lenLen + crcLen - 1
)

func (s SerialRecovery) fill() SerialRecovery {
	s.BufSize = or(s.BufSize, defaultRecoveryBuf)
	s.Align = or(s.Align, defaultRecoveryAlign)
	return s
}

func (s SerialRecovery) check() error {
	switch {
	case s.BufSize < 64 || s.BufSize > 65535:
		return fmt.Errorf("virtual device: receive size %d of the serial recovery, possible are 64 to 65535", s.BufSize)
	case s.Align < 1 || s.Align > 32:
		return fmt.Errorf("virtual device: write alignment %d of the serial recovery, possible are 1 to 32", s.Align)
	case s.Old && s.Raw:
		return fmt.Errorf("virtual device: a serial recovery of MCUboot up to 1.10.0 has no raw framing")
	case s.DecryptTime < 0:
		return fmt.Errorf("virtual device: a time is negative")
	}
	return nil
}

// InRecovery reports whether MCUboot's serial recovery answers now, not the application.
func (d *Device) InRecovery() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.program != nil && d.program.recovery
}

// newRecovery is serial recovery about to begin.
func (d *Device) newRecovery() *program {
	prog := &program{
		loaded: d.o.Mode == RAMLoad && d.bootable(),
		queue:  make(chan request, recoveryQueue), free: recoveryQueue,
		limit: d.o.SerialRecovery.BufSize - recoveryOverhead, recovery: true, raw: d.o.SerialRecovery.Raw,
	}
	if prog.raw {
		prog.limit = d.o.SerialRecovery.BufSize + 1 // no framing shares the buffer
	}
	return prog
}

// waits reports whether the bootloader waits for a request before it starts the application.
func (d *Device) waits() bool { return d.o.RecoveryWindow > 0 && !d.flash.note.Recovery }

// listen opens the wait window. The lock is held.
func (d *Device) listen(window time.Duration) {
	if d.shut {
		return
	}
	prog := d.newRecovery()
	prog.window = true
	d.begin(prog)
	d.after(window, func() { d.leave(prog) })
}

// leave closes the wait window, once what has arrived in it is answered. The lock is held.
func (d *Device) leave(prog *program) {
	switch {
	case !prog.window:
	case prog.free < recoveryQueue:
		d.after(time.Millisecond, func() { d.leave(prog) })
	default:
		d.stop()
		d.after(d.o.BootTime, d.start)
	}
}

// processRecovery executes the request in a packet, as the bootloader's receive loop does: one after the other.
func (d *Device) processRecovery(prog *program, r request) {
	out := d.executeRecovery(prog, r.packet)
	if out.answer == nil || d.faults.reboots() && d.watchdogReset(prog) {
		d.release(prog, true)
		return
	}
	reads := prog.raw && !out.reset && !out.last
	if reads { // the answer goes out last: on a wire the next request is later than a loop that reads again
		d.release(prog, true)
		d.readOn(prog)
	}
	d.transmit(r.from, prog, out, func() { d.release(prog, out.held) })
	d.finish(prog, out)
	if out.reset {
		<-prog.dead // it sleeps until it reboots, and reads nothing
		return
	}
	d.decrypt(prog)
	if !reads {
		d.release(prog, true)
	}
}

// readOn lets the bootloader read what it received while it was at work.
func (d *Device) readOn(prog *program) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := range d.ports {
		if s, ok := p.(*stream); ok && s.rx != nil && s.rx.prog == prog && prog.raw {
			s.rx.read()
		}
	}
}

// holdsEarly reports whether the bootloader's driver has a line buffer for more than what arrived while it was moving
// images.
func (s SerialRecovery) holdsEarly(held []byte) bool {
	if s.Raw {
		return len(held) < recoveryQueue*rawFragment
	}
	return bytes.Count(held, []byte{'\n'}) < recoveryQueue
}

// executeRecovery runs the one request in a packet (MCUboot boot_serial.c: boot_serial_input). An empty result is
// silence.
func (d *Device) executeRecovery(prog *program, p []byte) result {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.understands(p) {
		return result{}
	}
	d.stats.Requests++
	c := &call{d: d, prog: prog, payload: p[smp.HeaderLen:], w: &cborWriter{}}
	c.header, _, _ = smp.ParseHeader(p)
	do, silent := d.recoveryCommand(c.header)
	c.w.openMap()
	f := do(c)
	if !prog.alive() {
		return result{}
	}
	if f != nil {
		*c.w = cborWriter{}
		c.w.openMap()
		c.w.text("rc")
		c.w.int(int64(f.flat()))
	}
	c.w.close()
	d.stayInRecovery(prog)
	if silent {
		return result{}
	}
	return result{answer: recoveryAnswer(p, c.w.b), reset: c.reset, last: c.last}
}

// understands checks the header. A length that is larger than the packet is not noticed.
func (d *Device) understands(p []byte) bool {
	if len(p) < smp.HeaderLen || int(binary.BigEndian.Uint16(p[2:])) < len(p)-smp.HeaderLen {
		return false
	}
	op := p[0] & 7
	if d.o.SerialRecovery.Old {
		op = p[0] // the bits of the version belong to it
	}
	return smp.Op(op).IsRequest()
}

// stayInRecovery keeps the device in the bootloader: a packet in the wait window is a wish to talk to it. The lock is
// held.
func (d *Device) stayInRecovery(prog *program) {
	if prog.window {
		prog.window = false
		d.flash.note.Recovery = true
		d.keep(d.flash.saveNote())
	}
}

// recoveryAnswer answers with the request's own header, whatever its version and reserved bits say.
func recoveryAnswer(request, payload []byte) []byte {
	b := append(make([]byte, 0, smp.HeaderLen+len(payload)), request[:smp.HeaderLen]...)
	b[0]++
	b[1] = 0
	binary.BigEndian.PutUint16(b[2:], uint16(len(payload)))
	return append(b, payload...)
}

// recoveryCommand is the bootloader's table. Most entries do not care whether they are read or written, the reset among
// them. With silent the command runs, but there is no answer.
func (d *Device) recoveryCommand(h smp.Header) (do handler, silent bool) {
	s := &d.o.SerialRecovery
	switch {
	case h.Group == smp.GroupOS && h.Command == 0 && (s.Echo || s.Old):
		return osEcho, !s.Echo
	case h.Group == smp.GroupOS && h.Command == 1:
		return recoverySuccess, false // console echo control
	case h.Group == smp.GroupOS && h.Command == 5:
		return recoveryReset, false
	case h.Group == smp.GroupOS && h.Command == 6 && !s.NoParams && !s.Old:
		return recoveryParams, false
	case h.Group == smp.GroupImage && h.Command == 0 && (h.Op == smp.Read || s.Old):
		return recoveryList, false
	case h.Group == smp.GroupImage && h.Command == 0 && s.State:
		return recoverySelect, false
	case h.Group == smp.GroupImage && h.Command == 1:
		return recoveryUpload, false
	case h.Group == smp.GroupImage && h.Command == 6 && h.Op == smp.Read && s.SlotInfo && !s.Old:
		return recoverySlots, false
	}
	return func(*call) *failure { return protocolFailure(rcNotSupported) }, false
}

func recoverySuccess(c *call) *failure {
	c.w.text("rc")
	c.w.int(0)
	return nil
}

func recoveryReset(c *call) *failure {
	c.reset = true
	return recoverySuccess(c)
}

func recoveryParams(c *call) *failure {
	c.w.text("buf_size")
	c.w.uint(uint64(c.d.o.SerialRecovery.BufSize))
	c.w.text("buf_count")
	c.w.uint(1)
	return nil
}
