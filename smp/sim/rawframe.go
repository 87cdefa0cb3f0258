package sim

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Raw framing: bare packets, whose end only their header tells. Nothing in a damaged stream says where the next one
// begins, so what remains of a packet is forgotten when the line has been silent for a while.
const (
	// rawFragment is how many bytes the driver hands over at once: what a UART collects before it interrupts. A write
	// of the host begins a new one.
	rawFragment = 16

	// rawPatience is MCUboot's BOOT_SERIAL_RAW_PROTOCOL_INPUT_TIMEOUT_MS, which is on by default, and Zephyr's
	// MCUMGR_TRANSPORT_RAW_UART_INPUT_TIMEOUT_TIME_MS.
	rawPatience = 3 * time.Second
)

// rawLen is the length of the packet that a header announces.
func rawLen(header []byte) int { return smp.HeaderLen + int(binary.BigEndian.Uint16(header[2:])) }

// rawAssembler puts packets together as the application does (Zephyr subsys/mgmt/mcumgr/transport/src/serial_util.c:
// mcumgr_serial_process_frag; smp_raw_uart.c). It holds a packet buffer from the first byte of a packet on.
type rawAssembler struct {
	held    []byte
	latest  time.Time // when the last of it came
	holding bool
}

// fragment takes what one interrupt brought. It returns a packet when that is complete; its buffer then belongs to the
// caller. What follows a packet in the same fragment destroys both. The lock is held.
func (a *rawAssembler) fragment(prog *program, p []byte, bufSize int) (packet []byte, ok bool) {
	now := time.Now()
	if a.holding && now.Sub(a.latest) >= rawPatience {
		a.drop(prog)
	}
	if !a.holding {
		if prog.free == 0 {
			prog.stats.LostPackets++
			return nil, false
		}
		a.holding = true
		prog.free--
	}
	a.held, a.latest = append(a.held, p...), now
	if len(a.held) < smp.HeaderLen {
		return nil, false
	}
	switch n := rawLen(a.held); {
	case n > bufSize, a.held[0]&7 > byte(smp.WriteResponse), len(a.held) > n:
		prog.stats.Broken++
		a.drop(prog)
	case len(a.held) == n:
		packet, a.held, a.holding = a.held, nil, false
		return packet, true
	}
	return nil, false
}

// drop gives up a packet in progress.
func (a *rawAssembler) drop(prog *program) {
	if a.holding {
		a.held, a.holding = nil, false
		prog.free++
	}
}

// rawLoader is the bootloader's side (MCUboot boot_serial.c: boot_serial_read_console, boot_serial_input_raw). It
// executes a packet as soon as that is whole, and reads nothing meanwhile.
type rawLoader struct {
	waiting [][]byte // fragments in line buffers (BOOT_LINE_BUFS), at most recoveryQueue
	buffer  []byte   // what was read of them, and not yet executed
	latest  time.Time
}

// wait puts a fragment into a line buffer, if there is one.
func (l *rawLoader) wait(fragment []byte) bool {
	if len(l.waiting) == recoveryQueue {
		return false
	}
	l.waiting = append(l.waiting, bytes.Clone(fragment))
	return true
}

// next reads until a packet is whole or nothing waits any more. size is that of the receive buffer, broken how often it
// was thrown away.
func (l *rawLoader) next(size int) (packet []byte, broken int) {
	for {
		switch n := len(l.buffer); {
		case n < smp.HeaderLen:
		case !smp.Op(l.buffer[0] & 7).IsRequest(), rawLen(l.buffer) > size:
			// There is no telling where the next packet begins: all of it goes.
			l.buffer = nil
			broken++
		case n >= rawLen(l.buffer):
			n = rawLen(l.buffer)
			packet, l.buffer = l.buffer[:n:n], l.buffer[n:]
			return packet, broken
		}
		if len(l.buffer) > 0 && time.Since(l.latest) >= rawPatience {
			l.buffer = nil
		}
		if len(l.waiting) == 0 {
			return nil, broken
		}
		l.read(size)
	}
}

// read moves as much of the oldest fragment as the receive buffer takes.
func (l *rawLoader) read(size int) {
	n := min(len(l.waiting[0]), size-len(l.buffer))
	l.buffer, l.latest = append(l.buffer, l.waiting[0][:n]...), time.Now()
	if l.waiting[0] = l.waiting[0][n:]; len(l.waiting[0]) == 0 {
		l.waiting = l.waiting[1:]
	}
}
