package bus

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/smp/sim"
)

const (
	// lockTime is how long a reader may keep the lock from whoever begins to serve; it takes no time at all.
	lockTime = time.Second
	// hostTime is how long a host may refuse to take bytes before its connection is dropped.
	hostTime = 10 * time.Second
)

// server serves a rack through a folder.
type server struct {
	rack   *sim.Rack
	dir    folder
	unlock func()
	served map[sim.Port]*socket // that have a file; of the goroutine of serve
	work   sync.WaitGroup       // connections
}

// socket is where the bytes of a port are, from one reset of its board to the next.
type socket struct {
	listener net.Listener
	path     string // of its file
}

// Serve serves the ports of the rack through a folder until ctx ends, for [OfFolder] in other processes. The folder is
// made if it is not there, and what a server that was killed left in it is removed; ready is called once everybody can
// see it. Whoever has a port open loses the connection when the board goes away, as it is with USB.
//
// It is an error if somebody else serves the folder. At the end the files of the ports are gone, and the folder stays.
func Serve(ctx context.Context, r *sim.Rack, dir string, ready func()) error {
	s := &server{rack: r, dir: folder(dir), served: map[sim.Port]*socket{}}
	if err := s.begin(ctx); err != nil {
		return s.dir.failed(err)
	}
	defer s.end()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for {
		changed := r.Changed()
		if err := s.update(ctx); err != nil {
			return s.dir.failed(err)
		}
		if ready != nil {
			ready()
			ready = nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// begin takes the folder, empty.
func (s *server) begin(ctx context.Context) (err error) {
	if err = os.MkdirAll(string(s.dir), 0o700); err != nil {
		return err
	}
	ctx, stop := context.WithTimeoutCause(ctx, lockTime, errors.New("another smpctl serves virtual boards there"))
	defer stop()
	if s.unlock, err = files.Lock(ctx, filepath.Join(string(s.dir), lockFile)); err != nil {
		return err
	}
	if err = s.dir.tidy(); err != nil {
		s.unlock()
	}
	return err
}

// end takes the ports away, and gives the folder back.
func (s *server) end() {
	for p := range s.served {
		s.remove(p)
	}
	s.work.Wait()
	s.unlock()
}

// update makes the files those of the ports that are present.
func (s *server) update(ctx context.Context) error {
	present := map[sim.Port]bool{}
	ports := s.rack.Ports()
	for _, p := range ports {
		present[p] = true
	}
	for p := range s.served {
		if !present[p] {
			s.remove(p)
		}
	}
	for _, p := range ports {
		if s.served[p] == nil {
			if err := s.add(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// add offers a port.
func (s *server) add(ctx context.Context, p sim.Port) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	socket := &socket{l, s.dir.path(p.Name)}
	text, err := json.Marshal(entry{portOf(p), l.Addr().(*net.TCPAddr).AddrPort()})
	if err == nil {
		err = files.Write(socket.path, text, files.Options{Private: true})
	}
	if err != nil {
		l.Close()
		return err
	}
	s.served[p] = socket
	s.work.Go(func() { s.accept(ctx, l, p) })
	return nil
}

// remove takes a port away. Its connection ends with the board.
func (s *server) remove(p sim.Port) {
	socket := s.served[p]
	delete(s.served, p)
	_ = files.Remove(socket.path) // somebody may have tidied up
	socket.listener.Close()
}

// accept lets one host after the other have the port until it is taken away.
func (s *server) accept(ctx context.Context, l net.Listener, p sim.Port) {
	for {
		host, err := l.Accept()
		if err != nil {
			return
		}
		s.work.Go(func() { s.attend(ctx, host, p) })
	}
}

// attend connects a host with the port, if nobody else has it, until one of them or ctx ends.
func (s *server) attend(ctx context.Context, host net.Conn, p sim.Port) {
	defer host.Close()
	defer context.AfterFunc(ctx, func() { host.Close() })()
	board, err := s.rack.Open(p)
	said := answerOpen
	switch {
	case errors.Is(err, sim.ErrPortInUse):
		said = answerBusy
	case err != nil:
		return
	default:
		defer board.Close()
	}
	if _, err := io.WriteString(timed{host}, said); err != nil || board == nil {
		return
	}
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() {
		_, _ = io.Copy(board, plainReader{host})
		board.Close()
	})
	_, _ = io.Copy(timed{host}, board)
	host.Close()
}

// timed writes to a host, with a time limit.
type timed struct{ host net.Conn }

func (t timed) Write(p []byte) (int, error) {
	if err := t.host.SetWriteDeadline(time.Now().Add(hostTime)); err != nil {
		return 0, err
	}
	return t.host.Write(p)
}

// plainReader is a connection without the shortcuts of [io.Copy].
type plainReader struct{ io.Reader }
