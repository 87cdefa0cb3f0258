package sim

import "bytes"

// receiver is the driver of a serial port: it collects bytes to lines, and lines to packets (Zephyr
// drivers/console/uart_mcumgr.c). With raw framing what an interrupt brings takes the place of a line. It belongs to one
// port and one program.
type receiver struct {
	d    *Device
	prog *program
	from port

	line      []byte // received so far
	collected bool   // the line has a buffer
	ignoring  bool   // until the next newline
	off       bool   // the host is gone

	// One of them, as the program and its framing want.
	packets   assembler
	raw       rawAssembler
	loader    recoveryAssembler
	rawLoader rawLoader

	used  int         // line buffers in use
	queue chan []byte // lines that wait for decoding; nil if there are always enough buffers
}

// newReceiver starts the driver. It works until the reset or until stop is closed. The lock is held.
func newReceiver(d *Device, prog *program, from port, stop <-chan struct{}) *receiver {
	r := &receiver{d: d, prog: prog, from: from}
	if d.o.RXLines > 0 {
		r.queue = make(chan []byte, d.o.RXLines)
		d.work.Add(1)
		go r.decodeAll(stop)
	}
	return r
}

// feed takes bytes off the wire. The lock is held.
func (r *receiver) feed(p []byte) {
	for len(p) > 0 {
		n, ends := r.piece(p)
		r.collect(p[:n])
		p = p[n:]
		if ends {
			r.endLine()
		}
	}
}

// piece is how much of p belongs to the present line, and whether that ends there.
func (r *receiver) piece(p []byte) (n int, ends bool) {
	if r.prog.raw {
		return min(len(p), rawFragment, r.d.o.LineSize), true
	}
	if end := bytes.IndexByte(p, '\n') + 1; end > 0 {
		return end, true
	}
	return len(p), false
}

// collect adds bytes to the present line. A line that finds no buffer or does not fit one is ignored as a whole.
func (r *receiver) collect(piece []byte) {
	if !r.collected && !r.ignoring {
		if r.queue != nil && r.used == r.d.o.RXLines {
			r.ignoring = true
			r.d.stats.LostLines++
		} else {
			r.collected = true
			r.used++
		}
	}
	if r.collected && len(r.line)+len(piece) > r.d.o.LineSize {
		r.collected, r.ignoring = false, true
		r.used--
		r.d.stats.LongLines++
	}
	if r.collected {
		r.line = append(r.line, piece...)
	}
}

func (r *receiver) endLine() {
	if r.collected {
		if r.queue == nil {
			r.used--
			r.decode(r.line)
		} else {
			r.queue <- bytes.Clone(r.line) // has room: every line in it has a buffer
		}
	}
	r.line = r.line[:0]
	r.collected, r.ignoring = false, false
}

// decodeAll is the system work queue: it decodes one line after the other and takes its time.
func (r *receiver) decodeAll(stop <-chan struct{}) {
	defer r.d.work.Done()
	for {
		select {
		case <-r.prog.dead:
			return
		case <-stop:
			return
		case line := <-r.queue:
			pause(r.d.o.LineTime, r.prog.dead)
			r.d.mu.Lock()
			r.used--
			r.decode(line)
			r.d.mu.Unlock()
		}
	}
}

// stop ends the driver and gives its packet buffer back. The lock is held.
func (r *receiver) stop() {
	r.off = true
	r.packets.drop(r.prog)
	r.raw.drop(r.prog)
}

// decode passes a line on. The lock is held.
func (r *receiver) decode(line []byte) {
	var packet []byte
	var ok bool
	switch {
	case r.off:
	case r.prog.recovery && r.prog.raw:
		r.decodeRaw(line)
	case r.prog.recovery:
		r.decodeRecovery(line)
	case r.prog.raw:
		packet, ok = r.raw.fragment(r.prog, line, r.d.o.BufSize)
	default:
		packet, ok = r.packets.line(r.prog, line, r.d.o.BufSize)
	}
	if ok {
		r.prog.accept(r.d, request{packet: packet, from: r.from})
	}
}

// decodeRecovery passes a line on to the bootloader, which has no packet buffers to count: lines wait for it.
func (r *receiver) decodeRecovery(line []byte) {
	packet, ok := r.loader.line(line, r.d.o.SerialRecovery.BufSize)
	switch {
	case !ok:
	case r.prog.free == 0:
		r.prog.stats.LostPackets++
	default:
		r.prog.free--
		r.prog.accept(r.d, request{packet: packet, from: r.from})
	}
}

// decodeRaw puts a fragment into one of the bootloader's line buffers, and lets it read.
func (r *receiver) decodeRaw(fragment []byte) {
	if !r.rawLoader.wait(fragment) {
		r.prog.stats.LostLines++
		return
	}
	r.read()
}

// read lets a bootloader with raw framing read on, unless it is at work. The lock is held.
func (r *receiver) read() {
	for !r.off && r.prog.free == recoveryQueue {
		packet, broken := r.rawLoader.next(r.prog.limit)
		r.prog.stats.Broken += broken
		if packet == nil {
			return
		}
		r.prog.free--
		r.prog.accept(r.d, request{packet: packet, from: r.from})
	}
}

// accept queues a request that holds a packet buffer, unless a fault swallows it. The lock is held.
func (prog *program) accept(d *Device, r request) {
	if len(r.packet) == 0 || d.faults.losesRequest() || !prog.alive() {
		prog.free++
		return
	}
	prog.queue <- r // has room: every request in it has a buffer
}
