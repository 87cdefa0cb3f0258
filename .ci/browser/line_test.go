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

	mutex sync.Mutex // guards what follows
	ends  map[net.Conn]bool
	mute  chan struct{} // closed when bytes go through
}

// openLine leads to an address until the test ends.
func openLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan struct{})
	close(open)
	line := &line{listener: l, to: to, ends: map[net.Conn]bool{}, mute: open}
	go line.accept()
	t.Cleanup(func() {
		_ = l.Close()
		line.speak()
		line.cut()
	})
	return line
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
		l.ends[near], l.ends[far] = true, true
		l.mutex.Unlock()
		go l.carry(near, far)
		go l.carry(far, near)
	}
}

// carry copies until an end closes, and holds everything back while the line is silent.
func (l *line) carry(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mutex.Lock()
		mute := l.mute
		l.mutex.Unlock()
		<-mute
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				break
			}
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

// cut ends all connections.
func (l *line) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for c := range l.ends {
		_ = c.Close()
	}
}

// silence holds all bytes back, as a cable that was pulled out does.
func (l *line) silence() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.mute = make(chan struct{})
}

// speak lets bytes through again.
func (l *line) speak() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	select {
	case <-l.mute:
	default:
		close(l.mute)
	}
}
