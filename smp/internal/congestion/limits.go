package congestion

import "time"

// Config is what is known before the first chunk.
type Config struct {
	InFlight int  // the most requests that may be in flight, at least 1
	Fixed    bool // the user chose InFlight: no slow start
	Spare    int  // requests in flight that leave a buffer for a probe; more lost at once take seconds to notice
	Lines    int  // framing lines of the largest packet; 1 if its size cannot be changed
	Gaps     int  // the highest step of the gap between lines that the link can keep; 0 if it can keep none
	Gap      int  // the step in use already
}

// Limits is what the transfer may ask of the device now.
type Limits struct {
	InFlight int // requests in flight, 1 to Config.InFlight
	Lines    int // of a packet, 1 to Config.Lines
	Gap      int // step of the gap between lines, 0 to Config.Gaps
}

// Sent is how a chunk was sent. It is kept with the chunk, and handed back with its fate.
type Sent struct {
	InFlight int           // requests in flight, this one included
	Lines    int           // of the packet
	Gap      int           // step
	Epoch    int           // of the limits: what was sent in an older one says nothing about the present ones
	At       time.Duration // since the start of the transfer
}

// alone says that no other request was in flight.
func (s Sent) alone() bool { return s.InFlight <= 1 }

// fewer is a smaller packet: large steps while it is large, and first of all without its runt.
func fewer(lines, most int) int {
	switch {
	case lines > 5:
		return lines / 2
	case lines == most:
		return max(lines-1, 1)
	}
	return max(lines*2/3, 1)
}
