package journal

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzRead reads any file as a journal: it ends, its lines are all that is in it, and the beginning of a line says what
// all of it says.
func FuzzRead(f *testing.F) {
	line, err := encode(Record{V: Version, Seq: 1, Prev: none, ID: "a", Event: Begin})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(line, '\n'))
	f.Add(append(bytes.Repeat(append(line, '\n'), 2), line[:40]...))
	f.Add([]byte("\x00\x00\n"))
	f.Add(append(sign(line, make([]byte, 64)), '\n'))
	f.Fuzz(func(t *testing.T, data []byte) {
		findings := 0
		c := newChain(nil, func(place, string) { findings++ })
		var read []byte
		l := newLines(bytes.NewReader(data))
		for {
			line, err := l.next()
			if errors.Is(err, io.EOF) {
				break
			}
			read = append(read, line...)
			if errors.Is(err, errCutOff) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, '\n')
			checkLink(t, line)
			c.add(place{number: l.number}, line)
		}
		c.end()
		if !bytes.Equal(read, data) || l.end != int64(len(data)) {
			t.Errorf("read %q, want %q", read, data)
		}
		if fine := c.link.seq == int64(l.number) && l.number > 0; findings == 0 && len(data) > 0 && !fine &&
			data[len(data)-1] == '\n' {
			t.Errorf("nothing is found in %q, which ends with number %d", data, c.link.seq)
		}
	})
}

// checkLink compares the beginning of a line with the whole of it, where no later key changes what it said.
func checkLink(t *testing.T, line []byte) {
	k, ok := parseLink(line)
	r, err := decode(line)
	if !ok || err != nil || bytes.Count(line, []byte(":")) > 5 {
		return
	}
	if k.seq != r.Seq || string(k.prev) != r.Prev || string(k.id) != r.ID || k.event != r.Event {
		t.Errorf("%q begins with %+v, but is %+v", line, k, r)
	}
}
