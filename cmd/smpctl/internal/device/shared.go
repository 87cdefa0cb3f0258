package device

import (
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
)

// freshFor is how long a list of ports serves everybody who asks. It is short against lookEvery.
const freshFor = 20 * time.Millisecond

// Shared is a bus whose ports are listed once for all who ask at nearly the same time: sixty boards that are back from
// a reset look ten times a second each, and listing the ports of sixty boards takes milliseconds. What opens a port
// looks for itself.
func Shared(b app.Bus) app.Bus {
	if s, ok := b.(*shared); ok {
		return s
	}
	return &shared{Bus: b}
}

// own is the bus for whoever has to see it as it is now.
func own(b app.Bus) app.Bus {
	if s, ok := b.(*shared); ok {
		return s.Bus
	}
	return b
}

type shared struct {
	app.Bus

	mu    sync.Mutex // guards what follows, and is held while the ports are listed
	ports []transport.Port
	err   error
	at    time.Time // when they were listed
}

// Ports are those of at most freshFor ago. The list is everybody's.
func (s *shared) Ports() ([]transport.Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= freshFor {
		s.ports, s.err = s.Bus.Ports()
		s.at = time.Now()
	}
	return s.ports, s.err
}
