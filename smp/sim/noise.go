package sim

import "fmt"

// chatter mixes what a talkative console prints into the lines of an answer: a log line in colour and a shell prompt
// without a newline before it, and a log line between two lines.
func (d *Device) chatter(lines [][]byte) [][]byte {
	if !d.o.Noise {
		return lines
	}
	d.mu.Lock()
	d.printed++
	n := d.printed
	d.mu.Unlock()
	var out [][]byte
	for i, line := range lines {
		stamp := fmt.Sprintf("[%08d.%03d]", n, i)
		switch {
		case i == 0:
			out = append(out,
				[]byte("\x1b[0m"+stamp+" \x1b[1;33m<wrn> app: request handled\x1b[0m\r\n\x1b[1;32muart:~$ \x1b[m"))
		case i%2 == 1:
			out = append(out, []byte(stamp+" <inf> app: still printing\r\n"))
		}
		out = append(out, line)
	}
	return out
}
