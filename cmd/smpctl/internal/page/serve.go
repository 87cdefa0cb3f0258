package page

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// connectionsMax are the connections at a time; whoever comes after them waits.
const connectionsMax = 64

// Serve answers the browsers that come through l until ctx ends, and closes l. With a configuration of TLS they have to
// speak it.
func (p *Page) Serve(ctx context.Context, l net.Listener, encryption *tls.Config) error {
	server := &http.Server{
		Handler:           p.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second, // a stream renews it
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // of what strangers send
	}
	l = newLimited(l, connectionsMax)
	if encryption != nil {
		l = tls.NewListener(l, encryption)
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// limited is a listener with so many connections at a time.
type limited struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	close  func()
}

func newLimited(l net.Listener, most int) *limited {
	closed := make(chan struct{})
	return &limited{Listener: l, places: make(chan struct{}, most), closed: closed,
		close: sync.OnceFunc(func() { close(closed) })}
}

// Accept waits for a connection, and before that for a place.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: c, free: sync.OnceFunc(func() { <-l.places })}, nil
}

// Close ends all waiting.
func (l *limited) Close() error {
	l.close()
	return l.Listener.Close()
}

// placed is a connection that has a place.
type placed struct {
	net.Conn
	free func()
}

func (p *placed) Close() error {
	defer p.free()
	return p.Conn.Close()
}
