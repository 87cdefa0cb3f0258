package screen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestTextBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Buffer
		go func() {
			time.Sleep(time.Second)
			b.Put([]byte("hello "))
			b.Put([]byte("world"))
		}()
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if _, _, err := b.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take of nothing: got %v, want %v", err, context.DeadlineExceeded)
		}
		time.Sleep(2 * time.Second)
		if got, dropped, err := b.Take(t.Context()); string(got) != "hello world" || dropped != 0 || err != nil {
			t.Errorf("Take = %q, %d, %v, want all that was put", got, dropped, err)
		}
		b.Put([]byte("last"))
		b.Close()
		b.Put([]byte("too late"))
		if got, _, err := b.Take(t.Context()); string(got) != "last" || err != nil {
			t.Errorf("Take after Close = %q, %v, want what was left", got, err)
		}
		if _, _, err := b.Take(t.Context()); err != io.EOF {
			t.Errorf("Take at the end: got %v, want EOF", err)
		}
	})
}

// TestTextBufferIsBounded has nobody take anything: Put returns, and what has no room is counted.
func TestTextBufferIsBounded(t *testing.T) {
	var b Buffer
	line, put := bytes.Repeat([]byte("x"), 1000), 0
	for range 10_000 {
		b.Put(line)
		put += len(line)
	}
	got, dropped, err := b.Take(t.Context())
	if err != nil || len(got) > 1<<20 || len(got)+dropped != put {
		t.Errorf("Take = %d bytes, %d dropped, %v, want %d together and no more than 1 MiB kept",
			len(got), dropped, err, put)
	}
	b.Put(line)
	if got, dropped, _ := b.Take(t.Context()); len(got) != len(line) || dropped != 0 {
		t.Errorf("Take = %d bytes, %d dropped, want room again", len(got), dropped)
	}
}
