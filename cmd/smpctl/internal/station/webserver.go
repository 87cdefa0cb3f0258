package station

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
	"github.com/smpctl/smpctl/transport"
)

// minToken are the characters of a token that nobody guesses, one try a second.
const minToken = 16

// web is the page of a station on its address.
type web struct {
	page     *page.Page
	listener net.Listener
	tls      *tls.Config // nil: none
	url      string
}

// openWeb takes the address of the page, and reads what makes it safe to leave this computer.
func openWeb(ctx context.Context, c Config) (*web, error) {
	w, o := &web{}, page.Options{}
	if c.Page.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.path(c.Page.Cert), c.path(c.Page.Key))
		if err != nil {
			return nil, failure.Usage("page.cert: %w", err)
		}
		w.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
			NextProtos: []string{"h2", "http/1.1"}}
	}
	if c.Page.TokenFile != "" {
		token, err := files.ReadInput("page.token_file", c.path(c.Page.TokenFile), 4096)
		if err != nil {
			return nil, err
		}
		if o.Token = strings.TrimSpace(string(token)); len(o.Token) < minToken {
			return nil, failure.Usage("page.token_file: want at least %d characters", minToken)
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Page.Listen)
	if err != nil {
		return nil, taken(c.Page.Listen, err)
	}
	w.page, w.listener, w.url = page.New(o), l, "http://"+l.Addr().String()+"/"
	if w.tls != nil {
		w.url = "https" + strings.TrimPrefix(w.url, "http")
	}
	return w, nil
}

// errNoPage is an address at which nobody can listen now.
var errNoPage = errors.New("the page has no address")

// taken is why nobody can listen at an address.
func taken(address string, err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	err = &transport.OpenError{Address: "page " + address, Err: &listenError{err}}
	return failure.WithHint(err, "does another station run here? A second one needs another page.listen in its file")
}

// listenError is [errNoPage] with its cause.
type listenError struct{ error }

func (e *listenError) Unwrap() []error { return []error{errNoPage, e.error} }

// serve answers browsers until ctx ends.
func (w *web) serve(ctx context.Context) error {
	if err := w.page.Serve(ctx, w.listener, w.tls); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}
