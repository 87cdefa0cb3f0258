package transport

// heardWindow is how much of what came is kept, in bytes: some dozen lines of a log, and every frame in use.
const heardWindow = 4 << 10

// reception is what came since the last answer. Conn.mu guards it.
type reception struct {
	asked   requests
	answers uint64

	// Since the last answer.
	bytes   uint64
	unasked uint64            // whole packets that answer nothing
	echoed  bool              // one of them was a request of ours
	window  [heardWindow]byte // the latest bytes; the next one goes to bytes modulo its size
}

// take notes bytes that a decoder has used, and the packet that ended with them, if any.
func (r *reception) take(p, packet []byte, checked bool) {
	if packet != nil && r.asked.answered(packet) {
		r.answers++
		r.bytes, r.unasked, r.echoed = 0, 0, false
		return
	}
	switch {
	case packet == nil, !checked:
	case r.asked.has(packet):
		r.echoed = true
	default:
		r.unasked++
	}
	if skip := len(p) - heardWindow; skip > 0 {
		r.bytes += uint64(skip)
		p = p[skip:]
	}
	for len(p) > 0 {
		n := copy(r.window[r.bytes%heardWindow:], p)
		r.bytes += uint64(n)
		p = p[n:]
	}
}

// latest returns a copy of the latest bytes, in their order.
func (r *reception) latest() []byte {
	if r.bytes <= heardWindow {
		return append([]byte(nil), r.window[:r.bytes]...)
	}
	at := r.bytes % heardWindow
	return append(append([]byte(nil), r.window[at:]...), r.window[:at]...)
}
