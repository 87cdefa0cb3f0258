package smp

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// payload is what a transfer carries. The loop is the same for images and files, in both directions; what is asked, and
// what an answer means, is not. A payload knows nothing of the transfer but what its methods are told.
type payload interface {
	name() string // as errors call it
	header(length int) Header
	// fit takes the size in bytes of the largest request, and reports whether every chunk can carry something then.
	fit(limit int) bool
	// end says where the chunk that begins at off must end.
	end(off int) int
	// request builds the map that asks for c, for the encoder. It is valid until the next call.
	request(c chunk) any
	// answer reads the reply to c: the offset that is wanted next, from 0 to the size. errUnsure leaves that open.
	answer(c chunk, body []byte, at position) (off int, err error)
	// once reports that c must not be sent again before recheck has found out what became of it.
	once(c chunk) bool
	// recheck ends a doubt: it asks the device how far it came.
	recheck(ctx context.Context, at position) (off int, err error)
	// restart takes the news that the device wants to begin again at an earlier offset.
	restart(ctx context.Context, off int) error
	// finish says what speaks against a transfer of which the last byte was accepted.
	finish() error
}

// position is how far a transfer has come.
type position struct {
	wanted    int  // offset that the device asked for last
	disturbed bool // something was lost, so an answer may be about an older chunk
}

// errUnsure is an answer to a chunk from which nobody can tell how far the device came.
var errUnsure = errors.New("answer without an offset")

const noOffset = math.MinInt64

// offsetIn gives the offset in a reply if it can be one of a transfer of this size.
func offsetIn(off int64, size int, name string) (int, error) {
	switch {
	case off == noOffset:
		return 0, protocolError(name, "no offset in it")
	case off < 0 || off > int64(size):
		return 0, protocolError(name, fmt.Sprintf("it wants offset %d of %d", off, size))
	}
	return int(off), nil
}
