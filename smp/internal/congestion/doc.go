// Package congestion is the congestion control of a transfer. It is the only owner of three numbers: how many
// requests may be in flight (the congestion window), how many framing lines a packet may have, and the gap between
// two lines. It knows neither packets nor clocks: it is told what was sent, acknowledged and lost, and says what is
// allowed now.
//
//	s := c.OnSent(inFlight, lines, now) // kept with the chunk
//	c.OnAck(s, bytes, now)              // or c.OnLoss(s, now)
//	l := c.Limits()                     // for the next chunk: they change with acknowledgements, too
//
// A loss means one of three things here, and none of them is what TCP takes it for, a queue that overflows: the
// device announces its packet buffers, and a window within them never overflows that queue.
//
//   - Noise. It hits chunks sent alone as often as others. Nothing helps but to lose less with it: what is in flight
//     behind a lost chunk is lost, too (go-back-N), so after a loss the window is no more than what fills the pipe.
//   - A packet has more lines than the device has line buffers, or the line loses so many of them that few packets
//     arrive. Then chunks that were sent alone are lost as well: a gap between lines, or packets of fewer lines.
//   - The lines of a packet arrive while the device works on the one before. Then only chunks that were not alone are
//     lost: one request at a time where that is faster, and from there trials of more in flight, alone, with a gap,
//     or with fewer lines.
//
// What is not plain is measured: a trial of other limits lasts a few chunks, and they stay if they carry more bytes
// per second. What does not pay is tried again ever more rarely. The terms are those of RFC 5681 and RFC 9002. A
// Control is for one goroutine.
package congestion
