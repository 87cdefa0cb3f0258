package page_test

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// pipes is a listener whose connections are pipes, so that a test owns the time and a reader can be as slow as it likes.
type pipes struct {
	calls  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dial is a browser that comes.
func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.calls <- far
	return near
}

// serve has a page answer the connections of what it returns until the test ends.
func serve(t *testing.T, p *page.Page) *pipes {
	t.Helper()
	l := &pipes{calls: make(chan net.Conn), closed: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return l
}

// subscribe opens a stream and gives its lines.
func subscribe(t *testing.T, l *pipes) (net.Conn, *bufio.Scanner) {
	t.Helper()
	c := l.dial()
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, 1<<20)
	return c, lines
}

// next is the data of the next event of a kind.
func next(t *testing.T, lines *bufio.Scanner, kind string) string {
	t.Helper()
	for lines.Scan() {
		if lines.Text() != "event: "+kind {
			continue
		}
		if !lines.Scan() {
			break
		}
		return strings.TrimPrefix(lines.Text(), "data: ")
	}
	t.Fatalf("the stream ended before an event %q: %v", kind, lines.Err())
	return ""
}
