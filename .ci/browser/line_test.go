package browser

import (
	"net"
	"sync"
	"testing"
)

// line is a TCP connection between browser and station that a test cuts or makes silent.
type line struct {
	listener net.Listener
	to       string

	mutex sync.Mutex        // guards what follows
	ends  map[net.Conn]bool // whether bytes that come from there go through
	fresh bool              // the same of connections to come
}

// openLine leads to an address until the test ends.
func openLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, to: to, ends: map[net.Conn]bool{}, fresh: true}
	go l.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
	})
	return l
}

func (l *line) url() string { return "http://" + l.listener.Addr().String() }

func (l *line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		l.mutex.Lock()
		l.ends[near], l.ends[far] = l.fresh, l.fresh
		l.mutex.Unlock()
		go l.carry(near, far)
		go l.carry(far, near)
	}
}

// carry copies until an end closes. What comes while the line is silent is gone.
func (l *line) carry(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && l.speaks(from) {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.ends, from)
	delete(l.ends, to)
}

func (l *line) speaks(c net.Conn) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.ends[c]
}

// cut ends all connections.
func (l *line) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for c := range l.ends {
		_ = c.Close()
	}
}

// silence swallows all bytes, as a cable that was pulled out does.
func (l *line) silence() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.fresh = false
	for c := range l.ends {
		l.ends[c] = false
	}
}

// heal lets new connections through; those that were silent stay so.
func (l *line) heal() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.fresh = true
}
