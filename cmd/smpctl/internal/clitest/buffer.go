package clitest

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// LockedBuffer is a buffer that may be looked at while a command writes to it.
type LockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *LockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *LockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// WaitFor waits until the text has the part n times.
func (b *LockedBuffer) WaitFor(t *testing.T, part string, n int) {
	t.Helper()
	for range 2000 {
		if strings.Count(b.String(), part) >= n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("want %q %d times, got:\n%s", part, n, b.String())
}
