package main

import (
	"context"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
)

// redialEvery is the time between two looks for a port that went away.
const redialEvery = 200 * time.Millisecond

// tail reads what a device sends, whatever happens to its port, and sends nothing itself.
type tail struct {
	device *device
	wait   time.Duration         // how long the port may be away; 0: for ever
	text   textBuffer            // what the device prints
	packet func([]byte)          // called with each packet, unless nil
	linked func(*transport.Conn) // called with the new connection, and with nil when it ended; may be nil
	gone   func(port string)     // called when the port went away, unless nil
	back   func(port string)     // called when it is there again, unless nil
}

// newTail prepares to follow a device. open comes next.
func newTail(d *device) *tail {
	t := &tail{device: d}
	d.settings.transport.Text = t.text.Put
	d.settings.transport.KeepInput = true
	d.await(anyIdentity) // nothing is sent, so the bootloader may be looked at as well
	return t
}

// open connects for the first time.
func (t *tail) open(ctx context.Context) (*transport.Conn, error) { return t.device.link(ctx) }

// follow reads the connection and those that come after it until ctx ends, which is no error, or the port stays away
// for too long. It ends the text.
func (t *tail) follow(ctx context.Context, conn *transport.Conn) error {
	defer t.text.Close()
	for {
		t.read(ctx, conn)
		if ctx.Err() != nil {
			return nil
		}
		if t.gone != nil {
			t.gone(t.device.name)
		}
		var err error
		if conn, err = t.redial(ctx); conn == nil {
			return err
		}
		if t.back != nil {
			t.back(t.device.name)
		}
	}
}

// read takes packets until the connection or ctx ends.
func (t *tail) read(ctx context.Context, conn *transport.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer conn.Close()
	defer stop()
	if t.linked != nil {
		t.linked(conn)
		defer t.linked(nil)
	}
	for {
		p, err := conn.ReadPacket()
		if err != nil {
			return
		}
		if t.packet != nil {
			t.packet(p)
		}
	}
}

// redial looks for the port until it is there, not at once: somebody may accept connections only to end them. Both
// values are nil when ctx ended.
func (t *tail) redial(ctx context.Context) (*transport.Conn, error) {
	since := time.Now()
	tick := time.NewTicker(redialEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil
		}
		conn, err := t.device.link(ctx)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, nil
		case t.wait > 0 && time.Since(since) > t.wait:
			return nil, fmt.Errorf("%w within %v: %w", dfu.ErrNotBack, t.wait, err)
		}
	}
}
