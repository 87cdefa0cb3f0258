package sim

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/smpctl/smpctl/image"
)

// Device is a virtual board: an SMP server, MCUboot and the flash they share. It runs from [NewDevice] to
// [Device.Close]. Any number of links may be open at the same time; their requests queue up for the one server.
type Device struct {
	o         Options
	rules     rules
	validator validator
	faults    *faultInjector

	mu      sync.Mutex // guards everything below, but is not held while time passes
	flash   *flash
	files   files
	program *program // what runs: the application, or the bootloader's serial recovery; nil while the device is dark
	ports   map[port]struct{}
	swap    *swapping     // a boot that moves images now; nil: there is none
	early   bool          // the bootloader's console collects what arrives, and nobody reads it yet
	changed chan struct{} // closed when something starts or stops to answer
	clock   clock
	off     bool        // it has no power
	wake    *time.Timer // ends the present phase: reset due, or boot finished
	boots   int
	stats   Stats
	printed int    // answers with chatter
	unread  []byte // text of the console since the last boot, until a USB host reads it
	log     deviceLog
	err     error // of the flash file; the first one
	shut    bool

	done chan struct{} // closed by Close
	work sync.WaitGroup
}

// port is one way in: a link, a stream, a serial port.
type port interface {
	// powerUp tells the port that l runs now, powerDown that it stopped. The device's lock is held.
	powerUp(prog *program)
	powerDown()
	// unplug tells the port that its host is gone. The device's lock is held.
	unplug()
	// send transmits an answer and takes as long as the line does. It calls sent when the line has carried the answer,
	// and before its reader has the end of it. The device's lock is not held.
	send(prog *program, packet []byte, sent func())
}

// program is one run of the application or of serial recovery, from boot to reset.
type program struct {
	dead     chan struct{} // closed at the reset
	queue    chan request
	free     int // packet buffers; guarded by the device's lock
	limit    int // bytes of the largest packet
	since    time.Time
	stats    *Stats // of the device
	upload   upload
	file     openFile
	recovery bool // this is the bootloader
	raw      bool // its serial port has raw framing
	window   bool // only for a moment, unless a request comes; guarded by the device's lock
	loaded   bool // it has an image in RAM

	recoveryState recoveryState
}

// request is a packet that waits for the server.
type request struct {
	packet []byte
	from   port
}

// NewDevice makes a device and boots it. If a flash file exists it goes on where that left off: a board that stayed
// powered, with its uploads in progress forgotten. Otherwise the flash is new and holds the factory image.
//
// An error says which option does not fit, or why the flash file cannot be used; that file is left as it was.
func NewDevice(o Options) (*Device, error) {
	usual := o.BufSize == 0
	o, err := o.fill()
	if err != nil {
		return nil, err
	}
	f, fresh, err := openFlash(&o)
	if err != nil {
		return nil, err
	}
	held, err := openFiles(o, fresh)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	if usual {
		o.BufSize += (f.images() - 1) * bufSizePerImage
	}
	d := &Device{
		o: o, flash: f, files: held, faults: newFaultInjector(o.Faults),
		rules:     rules{mode: o.Mode, noDowngrade: o.NoDowngrade},
		validator: validator{mode: o.Mode, keys: o.keys(), trusted: f.note.Trusted},
		ports:     map[port]struct{}{},
		log:       deviceLog{born: time.Now()},
		changed:   make(chan struct{}),
		done:      make(chan struct{}),
	}
	if err := d.powerOn(fresh); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return d, nil
}

// powerOn makes the flash bootable and starts what it holds.
func (d *Device) powerOn(fresh bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Another bootloader than last time is as good as a reset.
	boots := fresh || d.flash.note.ResetPending || d.flash.note.Mode != d.o.Mode.String()
	if boots {
		d.bootload()
		d.conclude()
	}
	if d.flash.note.Settings == nil { // a flash file from before there were any
		d.flash.bootSettings()
	}
	nothing := !d.bootable() || !d.runs(d.active(0))
	if nothing && d.o.SerialRecovery.Absent {
		return errNothingBoots
	}
	d.flash.note.Recovery = d.flash.note.Recovery || nothing && !d.flash.note.Stuck || d.o.Recovery
	if boots {
		if err := d.flash.saveAll(); err != nil {
			return err
		}
	}
	if fresh && d.waits() {
		d.listen(d.o.RecoveryWindow)
	} else {
		d.start()
	}
	if !boots {
		d.unread = nil // it stayed powered, and said all that long ago
	}
	return nil
}

var errNothingBoots = errors.New("virtual device: no slot holds an image that the bootloader would start")

// Close switches the device off. Links report their end, a reset that was accepted still happens, and a flash file is
// complete when Close returns. The error is the first trouble with that file. Close may be called again.
func (d *Device) Close() error {
	d.mu.Lock()
	if d.shut {
		d.mu.Unlock()
		return d.err
	}
	d.shut = true
	close(d.done)
	if d.wake != nil {
		d.wake.Stop()
	}
	if d.program != nil && !d.flash.note.ResetPending {
		d.program.closeFile(d) // as the board would, which stays powered
	}
	d.stop()
	if d.flash.note.ResetPending {
		d.bootload()
		d.swap = nil
		d.keep(d.flash.saveAll())
	} else if d.swap != nil {
		d.keep(d.flash.saveAll())
	}
	d.keep(d.flash.close())
	d.mu.Unlock()
	d.work.Wait()
	return d.err
}

// Reset pulls the reset line: everything stops at once, the bootloader does its work, and the application or serial
// recovery starts after boot and swap time. A reset while images are moved stops that in the middle; the bootloader
// then goes on with it, which takes the whole swap time again.
func (d *Device) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reboot()
}

// PowerCycle switches the device off and on again. It is a [Device.Reset] that also stops the clock. As with a reset,
// images that are being moved are moved on.
func (d *Device) PowerCycle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clock = clock{}
	d.reboot()
}

// PowerOff takes the power away, as unplugging a board does that has it from USB. The device is dark until
// [Device.PowerOn], [Device.PowerCycle] or [Device.Reset].
func (d *Device) PowerOff() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.shut {
		d.powerOff()
	}
}

// PowerOn gives the power back after [Device.PowerOff]: the device boots. One that has power goes on.
func (d *Device) PowerOn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.shut && d.off {
		d.boot()
	}
}

// powerOff stops everything, images that are being moved half-way. The lock is held.
func (d *Device) powerOff() {
	d.stop()
	d.interrupt()
	d.clock, d.off = clock{}, true
	d.flash.note.ResetPending = true
	d.keep(d.flash.saveNote())
	if d.wake != nil {
		d.wake.Stop()
		d.wake = nil
	}
}

// Boots is the number of times the bootloader ran since [NewDevice].
func (d *Device) Boots() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.boots
}

// Alive reports whether something runs and would answer: the application, or the bootloader's serial recovery.
func (d *Device) Alive() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.program != nil
}

// WaitAlive waits until something answers, see [Device.Alive]. It returns the error of ctx if that ends first, and
// [io.EOF] if the device is closed.
func (d *Device) WaitAlive(ctx context.Context) error {
	for {
		d.mu.Lock()
		alive, turn := d.program != nil, d.changed
		d.mu.Unlock()
		if alive {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.done:
			return io.EOF
		case <-turn:
		}
	}
}

// signalChange wakes everybody who waits for the device. The lock is held.
func (d *Device) signalChange() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Running is the version and image hash of the image that an image number runs from; false if nothing boots. While the
// bootloader moves images it is the one that runs when it is done.
func (d *Device) Running(number int) (version image.Version, hash []byte, ok bool) {
	d.mu.Lock()
	boots := number >= 0 && number < len(d.flash.note.Running) && d.flash.note.Running[number] >= 0
	d.mu.Unlock()
	if !boots {
		return image.Version{}, nil, false
	}
	for _, s := range d.Slots() {
		if s.Image == number && s.Active {
			return s.Version, s.Hash, true
		}
	}
	return image.Version{}, nil, false
}

// start brings up what the bootloader decided for: the application, or its own serial recovery. The lock is held.
func (d *Device) start() {
	switch {
	case d.shut:
	case d.flash.note.Recovery:
		d.begin(d.newRecovery())
	case d.bootable():
		d.announce()
		if d.o.NoSMP {
			return
		}
		d.begin(d.newApplication())
	}
}

// newApplication is the application about to begin.
func (d *Device) newApplication() *program {
	prog := &program{
		queue: make(chan request, d.o.BufCount), free: d.o.BufCount, limit: d.o.BufSize - lenLen - crcLen, raw: d.o.Raw,
	}
	if prog.raw {
		prog.limit = d.o.BufSize
	}
	return prog
}

// begin starts a program. The lock is held.
func (d *Device) begin(prog *program) {
	prog.dead, prog.stats, prog.since = make(chan struct{}), &d.stats, time.Now()
	d.program, d.early = prog, false
	d.work.Add(1)
	go d.serve(prog)
	for p := range d.ports {
		p.powerUp(prog)
	}
	d.signalChange()
}

// stop ends what runs, without a word. The lock is held.
func (d *Device) stop() {
	if d.program == nil {
		return
	}
	close(d.program.dead)
	if idle := d.program.file.idle; idle != nil {
		idle.Stop() // what was written and not closed is lost
	}
	d.program = nil
	for p := range d.ports {
		p.powerDown()
	}
	d.signalChange()
}

// scheduleReset lets what runs live for the reset delay. A second request starts the delay again. The lock is held.
func (d *Device) scheduleReset() {
	d.flash.note.ResetPending = true
	d.keep(d.flash.saveNote())
	d.after(d.o.ResetDelay, d.reboot)
}

// after ends the present phase in a while. It replaces what was planned before. The lock is held.
func (d *Device) after(wait time.Duration, next func()) {
	if d.wake != nil {
		d.wake.Stop()
	}
	var mine *time.Timer
	mine = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		// A timer that fired while it was being replaced has nothing to say any more.
		if d.wake == mine && !d.shut {
			next()
		}
	})
	d.wake = mine
}

// keep remembers the first error of the flash file.
func (d *Device) keep(err error) {
	if d.err == nil {
		d.err = err
	}
}
