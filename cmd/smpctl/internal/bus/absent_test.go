package bus

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"testing"
)

// TestGoneWhileOpening takes a port for absent whose board goes away between the look at its file and the connection.
func TestGoneWhileOpening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = io.WriteString(conn, answerOpen[:2])
			conn.Close()
		}
		l.Close()
	}()
	p := entry{TCP: l.Addr().(*net.TCPAddr).AddrPort()}
	for _, when := range []string{"it ends the connection", "nobody listens"} {
		if conn, err := p.open(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, %v, want %v", when, conn, err, fs.ErrNotExist)
		}
	}
}
