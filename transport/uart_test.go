package transport_test

import "math/rand/v2"

// uartLine is the level of a wire over time, in bits of the sender.
type uartLine []bool

const (
	mark  = true // idle, and a stop bit
	space = false
)

// sendUART returns the wire while p is sent with 8 data bits, no parity and one stop bit, with pauses as programs make
// them.
func sendUART(p []byte, random *rand.Rand) uartLine {
	idle := func(line uartLine, bits int) uartLine {
		for range bits {
			line = append(line, mark)
		}
		return line
	}
	line := idle(nil, 10)
	for _, b := range p {
		line = append(line, space)
		for i := range 8 {
			line = append(line, b>>i&1 == 1)
		}
		line = append(line, mark)
		if b == '\n' {
			line = idle(line, random.IntN(200))
		}
	}
	return idle(line, 40)
}

// receiveUART returns what a receiver makes of the wire, for whom a bit lasts as long as bit of the sender's. It works
// as UARTs with 16 samples a bit do: a falling edge starts a byte, each bit is looked at in its middle. Without a stop
// bit the byte is delivered as it is, as Linux does in raw mode, and the next one begins once the line is idle.
func receiveUART(line uartLine, bit float64) (p []byte) {
	level := func(t float64) bool { return int(t) >= len(line) || line[int(t)] }
	step := bit / 16
	for t := 0.0; int(t) < len(line); t += step {
		if level(t) == mark || level(t+bit/2) == mark {
			continue
		}
		var b byte
		for i := range 8 {
			if level(t + (1.5+float64(i))*bit) {
				b |= 1 << i
			}
		}
		p = append(p, b)
		t += 9.5 * bit
		for level(t) == space {
			t += step
		}
	}
	return p
}
