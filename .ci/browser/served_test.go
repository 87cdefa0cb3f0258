package browser

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// served is a page that this process serves, without a station behind it.
type served struct {
	*page.Page
	t    *testing.T
	url  string
	stop func()
}

// serve serves a page until the test ends.
func serve(t *testing.T, v page.View) *served {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", v)
}

func serveAt(t *testing.T, address string, v page.View) *served {
	t.Helper()
	return serveWith(t, address, page.Options{}, v)
}

func serveWith(t *testing.T, address string, o page.Options, v page.View) *served {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := page.New(o)
	p.Show(v)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l, nil) }()
	stopped := false
	s := &served{Page: p, t: t, url: "http://" + l.Addr().String()}
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// entered is what the operator did next.
func (s *served) entered() page.Input {
	s.t.Helper()
	select {
	case in := <-s.Inputs():
		return in
	case <-time.After(patience):
		s.t.Fatal("nothing was entered")
		return page.Input{}
	}
}

// untouched holds that nothing was entered until now.
func (s *served) untouched() {
	s.t.Helper()
	select {
	case in := <-s.Inputs():
		s.t.Errorf("entered: %+v", in)
	default:
	}
}
