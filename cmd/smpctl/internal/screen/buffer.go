package screen

import (
	"context"
	"io"
	"sync"
)

// maxText bounds the text that waits in a textBuffer, in bytes: some thousand lines, a minute of a busy serial port.
const maxText = 512 << 10

// Buffer holds what a device prints until somebody takes it, so that a slow reader never holds up packets: Put is
// made for transport.Options.Text. What comes while it is full is dropped and counted. The zero value is ready, for any
// number of goroutines.
type Buffer struct {
	once sync.Once
	news chan struct{} // holds a token while there may be something to take

	mu      sync.Mutex // guards what follows
	text    []byte
	dropped int // bytes since the last take
	closed  bool
}

// Put appends a copy of p, as much as there is room for, and never blocks. After Close it does nothing.
func (b *Buffer) Put(p []byte) {
	b.mu.Lock()
	if !b.closed {
		n := min(len(p), maxText-len(b.text))
		b.text = append(b.text, p[:n]...)
		b.dropped += len(p) - n
	}
	b.mu.Unlock()
	b.tell()
}

// Take waits for text and returns all there is, and how many bytes were dropped behind it. The error is [io.EOF] after
// Close, once everything was taken, or that of ctx.
func (b *Buffer) Take(ctx context.Context) (text []byte, dropped int, err error) {
	b.begin()
	for {
		b.mu.Lock()
		text, dropped, b.text, b.dropped = b.text, b.dropped, nil, 0
		closed := b.closed
		b.mu.Unlock()
		switch {
		case len(text) > 0 || dropped > 0:
			return text, dropped, nil
		case closed:
			return nil, 0, io.EOF
		}
		select {
		case <-b.news:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// Close ends the text: Take gives what is left, and then [io.EOF]. It may be called again.
func (b *Buffer) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.tell()
}

func (b *Buffer) begin() { b.once.Do(func() { b.news = make(chan struct{}, 1) }) }

func (b *Buffer) tell() {
	b.begin()
	select {
	case b.news <- struct{}{}:
	default:
	}
}
