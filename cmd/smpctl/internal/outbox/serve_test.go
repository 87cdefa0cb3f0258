package outbox

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// server is an HTTPS server in memory, for example.com, so that time can be faked.
type server struct {
	options Options // that get there

	mu      sync.Mutex // guards the rest
	tries   int        // to connect
	away    bool       // nobody connects
	batches []string   // bodies of requests, as they came
}

// serve has a server take every batch and answer as told; nil: with 200.
func serve(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	l := &memory{conns: make(chan net.Conn), done: make(chan struct{})}
	hs := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.batches = append(s.batches, string(body))
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	hs.Listener.Close()
	hs.Listener = l
	hs.Config.ErrorLog = log.New(io.Discard, "", 0)
	hs.StartTLS()
	t.Cleanup(hs.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hs.Certificate().Raw})))
	s.options = Options{CAFile: ca, random: func() float64 { return 1 }, dial: s.dial(l)}
	return s
}

func (s *server) dial(l *memory) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.tries++; s.away {
			return nil, errors.New("connection refused")
		}
		return l.dial()
	}
}

// tried is how often somebody has connected, or wanted to.
func (s *server) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// took are the bodies of the requests so far.
func (s *server) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.batches...)
}

func (s *server) set(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// memory is a listener without a network.
type memory struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *memory) dial() (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memory) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memory) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

const target443 = "https://example.com/v1/records"

// open opens a sender to a server.
func (s *server) open(t *testing.T, dir string) *Sender {
	t.Helper()
	sender, err := Open(dir, target443, s.options)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// turns writes so many boards into a journal, two lines each.
func turns(t *testing.T, dir string, n int) {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{Station: journal.Station{Name: "line2-a"}})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := range n {
		id, err := j.Begin(journal.Record{Board: journal.Board{ID: fmt.Sprintf("E66C%04d", i)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.End(id, journal.Record{Result: journal.Pass}); err != nil {
			t.Fatal(err)
		}
	}
}

// content is all lines of a journal, file by file.
func content(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
