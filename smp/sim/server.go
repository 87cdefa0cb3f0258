package sim

import (
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/smp"
)

// call is one request in the hands of its command.
type call struct {
	d       *Device
	prog    *program
	header  smp.Header
	payload []byte                     // with whatever follows it in the packet
	given   map[string]cbor.RawMessage // keys of the request, once arguments has read them
	w       *cborWriter                // the answer; its outermost map is open
	reset   bool                       // the device resets once the answer is on its way
	last    bool                       // the request completed an upload
}

// handler runs one command. The device's lock is held; it may be given up with [call.spend] only.
type handler func(c *call) *failure

// command is an entry of the dispatcher's table. A nil handler is an operation that the command does not have.
type command struct{ read, write handler }

// table finds commands by group and number. Options can take entries out.
func (d *Device) command(g smp.Group, id uint8) (command, bool) {
	var c command
	if slices.Contains(d.o.NoGroups, g) {
		return c, false
	}
	switch g {
	case smp.GroupOS:
		c = d.osCommand(id)
	case smp.GroupImage:
		c = d.imageCommand(id)
	case smp.GroupStat:
		c = statCommand(id)
	case smp.GroupSettings:
		c = settingsCommand(id)
	case smp.GroupLog:
		c = logCommand(id)
	case smp.GroupCrash:
		c = crashCommand(id)
	case smp.GroupRun:
		c = runCommand(id)
	case smp.GroupShell:
		c = shellCommand(id)
	case smp.GroupEnum:
		c = enumCommand(id)
	case smp.GroupZephyr:
		c = zephyrCommand(id)
	case smp.GroupFS:
		c = d.fsCommand(id)
	}
	return c, c.read != nil || c.write != nil
}

// serve is the work queue: one request after the other until the reset.
func (d *Device) serve(prog *program) {
	defer d.work.Done()
	for {
		select {
		case <-prog.dead:
			return
		case r := <-prog.queue:
			if prog.recovery {
				d.processRecovery(prog, r)
				d.readOn(prog)
			} else {
				d.process(prog, r)
			}
		}
	}
}

// result is what came out of one request.
type result struct {
	answer []byte // nil: the device was reset in the middle of the command
	length int    // bytes of the request; 0: the rest of the packet is not looked at
	held   bool   // the answer holds a packet buffer of its own
	reset  bool   // the device resets once the answer is on its way
	last   bool   // the request completed an upload
}

// process executes every request in a packet and answers each in a packet of its own. The first error ends it
// (Zephyr subsys/mgmt/mcumgr/smp/src/smp.c: smp_process_request_packet).
func (d *Device) process(prog *program, r request) {
	for rest := r.packet; len(rest) >= smp.HeaderLen; {
		out := d.execute(prog, rest)
		if out.answer == nil || d.faults.reboots() && d.watchdogReset(prog) {
			return
		}
		more := out.length > 0 && len(rest)-out.length >= smp.HeaderLen
		d.transmit(r.from, prog, out, func() { d.release(prog, out.held, !more) })
		d.finish(prog, out)
		if !more {
			return
		}
		rest = rest[out.length:]
	}
	d.release(prog, true)
}

// release gives packet buffers back: as many as there are true values.
func (d *Device) release(prog *program, held ...bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range held {
		if h {
			prog.free++
		}
	}
}

// finish begins a reset that was asked for, after the answer was sent.
func (d *Device) finish(prog *program, out result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if out.reset && d.program == prog {
		d.scheduleReset()
	}
}

// watchdogReset resets the device without a word, as a watchdog does.
func (d *Device) watchdogReset(prog *program) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.program == prog {
		d.reboot()
	}
	return true
}

// execute runs the first request in p.
func (d *Device) execute(prog *program, p []byte) result {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, _, err := smp.ParseHeader(p)
	switch {
	case err != nil:
		return result{answer: d.refuse(h, protocolFailure(rcCorrupt))}
	case !h.Op.IsRequest():
		return result{answer: d.refuse(h, protocolFailure(rcNotSupported))}
	case prog.free == 0:
		// The request's own buffer carries the news.
		d.stats.NoMemory++
		return result{answer: d.refuse(h, protocolFailure(rcNoMemory))}
	}
	prog.free--
	d.stats.Requests++
	c := &call{d: d, prog: prog, header: h, payload: p[smp.HeaderLen:], w: &cborWriter{}}
	f := d.run(c)
	out := result{held: true, reset: c.reset, last: c.last}
	switch {
	case !prog.alive():
		return result{}
	case f != nil:
		out.answer = d.refuse(h, f)
	default:
		out.answer, out.length = d.answer(h, c.w.b), smp.HeaderLen+int(h.Length)
	}
	return out
}

// run executes a command and completes its answer.
func (d *Device) run(c *call) *failure {
	if c.header.Version > smp.V2 && !d.o.Legacy {
		return protocolFailure(rcTooNew)
	}
	cmd, ok := d.command(c.header.Group, c.header.Command)
	if !ok {
		return protocolFailure(rcNotSupported)
	}
	do := cmd.read
	if c.header.Op == smp.Write {
		do = cmd.write
	}
	if do == nil {
		return protocolFailure(rcNotSupported)
	}
	c.w.openMap()
	if f := do(c); f != nil {
		return c.group(f)
	}
	return c.finish()
}

// group turns the error of a group into what this client gets: an err map in version 2, a bare number before.
func (c *call) group(f *failure) *failure {
	if f.group < 0 || c.header.Version == smp.V1 || c.d.o.Legacy {
		return f
	}
	c.groupError(f.group, f.rc)
	return c.finish()
}

func (c *call) groupError(group, rc int) {
	c.w.text("err")
	c.w.openMap()
	c.w.text("group")
	c.w.uint(uint64(group))
	c.w.text("rc")
	c.w.uint(uint64(rc))
	c.w.close()
}

// finish closes the answer. One that does not fit a packet buffer is an error instead.
func (c *call) finish() *failure {
	c.w.close()
	if smp.HeaderLen+len(c.w.b) > c.d.o.BufSize {
		return protocolFailure(rcTooLarge)
	}
	return nil
}

// refuse builds the answer to a request that failed as a whole.
func (d *Device) refuse(h smp.Header, f *failure) []byte {
	var w cborWriter
	w.openMap()
	w.text("rc")
	w.int(int64(f.flat()))
	if d.o.Verbose && f.reason != "" {
		w.text("rsn")
		w.text(f.reason)
	}
	w.close()
	return d.answer(h, w.b)
}

// answer puts the header before a payload (Zephyr smp.c: smp_make_rsp_hdr).
func (d *Device) answer(h smp.Header, payload []byte) []byte {
	out := smp.Header{
		Version: min(h.Version, smp.V2), Op: smp.WriteResponse, Length: uint16(len(payload)),
		Group: h.Group, Sequence: h.Sequence, Command: h.Command,
	}
	if h.Op == smp.Read {
		out.Op = smp.ReadResponse
	}
	if d.o.Legacy {
		out.Version = smp.V1
	}
	return append(out.Append(make([]byte, 0, smp.HeaderLen+len(payload))), payload...)
}

// transmit sends an answer, unless a fault decides otherwise.
func (d *Device) transmit(to port, prog *program, out result, sent func()) {
	n := d.faults.answers(out)
	if n == 0 {
		sent()
	}
	for i := range n {
		if i == n-1 {
			to.send(prog, out.answer, sent)
		} else {
			to.send(prog, out.answer, func() {})
		}
	}
}

// spend lets time pass in the middle of a command, with the lock given up. It reports whether the application is still
// the same afterwards; if not, the command must end at once.
func (c *call) spend(t time.Duration) bool {
	if t <= 0 {
		return true
	}
	c.d.mu.Unlock()
	pause(t, c.prog.dead)
	c.d.mu.Lock()
	return c.prog.alive()
}

// alive reports whether the application still runs.
func (prog *program) alive() bool {
	select {
	case <-prog.dead:
		return false
	default:
		return true
	}
}

// pause waits for a while, or until stop is closed. It reports whether it waited to the end.
func pause(t time.Duration, stop <-chan struct{}) bool {
	if t <= 0 {
		return true
	}
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}
