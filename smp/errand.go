package smp

import "context"

// errand is what a transfer carries. The loop is the same for images and files, in both directions; what is asked, and what an answer
// means, is not.
type errand interface {
	name() string // as errors call it
	header(payload int) Header
	// fit takes the size in bytes of the largest request, and reports whether every chunk can carry something then.
	fit(limit int) bool
	// end says where the chunk that begins at off must end.
	end(off int) int
	// request builds the payload that asks for c, for the encoder. It is valid until the next call.
	request(c chunk) any
	// answer reads the reply to c: the offset that is wanted next.
	answer(c chunk, body []byte) (off int, err error)
	// accepted takes the news that the window knows of that offset.
	accepted(c chunk, off int) error
	// once reports that c must not be sent again before settle has found out what became of it.
	once(c chunk) bool
	// settle ends a doubt of the window: it asks the device how far it came.
	settle(ctx context.Context) error
	// returned takes the news that the device wants to begin again at an earlier offset.
	returned(ctx context.Context) error
}
