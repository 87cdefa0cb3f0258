package device

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
)

// answered is a link on which the first answer is waited for, visibly.
type answered struct {
	*transport.Conn
	waiting *app.Waiting
}

// awaitAnswer says that the first answer is waited for, until it is there or the link is closed.
func awaitAnswer(a *app.App, link *transport.Conn, name string) *answered {
	return &answered{link, a.Wait("an answer from %s", name)}
}

func (l *answered) ReadPacket() ([]byte, error) {
	p, err := l.Conn.ReadPacket()
	l.waiting.Stop()
	return p, err
}

func (l *answered) Close() error {
	l.waiting.Stop()
	return l.Conn.Close()
}
