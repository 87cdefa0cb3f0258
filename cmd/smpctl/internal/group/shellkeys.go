package group

import (
	"bytes"
	"io"
)

// Keys that the line editor does not know as a shell's user does: to it Ctrl-C is the end of the input.
const (
	giveUpKey = 0x03 // Ctrl-C
	leaveKey  = 0x1d // Ctrl-], as in other terminal programs
)

// giveUp are keys that end a line at whose end stands what was pressed.
const giveUp = "\x05^C\r" // Ctrl-E goes to the end

// shellKeys are the keys that a person types, as the line editor is to see them: Ctrl-C ends the line and is told of,
// Ctrl-] is the end of the input.
type shellKeys struct {
	in      io.Reader
	gaveUp  func() // the line that ends next is to be forgotten
	pending []byte // typed, and not handed on
	buf     [256]byte
}

// Read hands on keys up to the next special one, so that the editor has taken every line before when gaveUp is called.
func (k *shellKeys) Read(p []byte) (int, error) {
	if len(k.pending) == 0 {
		n, err := k.in.Read(k.buf[:])
		if n == 0 {
			return 0, err
		}
		k.pending = k.buf[:n]
	}
	most := bytes.IndexAny(k.pending, string([]byte{giveUpKey, leaveKey}))
	switch {
	case most < 0:
		most = len(k.pending)
	case most > 0:
	case k.pending[0] == leaveKey:
		k.pending = nil
		return 0, io.EOF
	default:
		k.gaveUp()
		k.pending = append([]byte(giveUp), k.pending[1:]...)
		most = len(giveUp)
	}
	n := copy(p, k.pending[:most])
	k.pending = k.pending[n:]
	return n, nil
}
