package device

import (
	"context"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
)

// redialEvery is the time between two looks for a port that went away.
const redialEvery = 200 * time.Millisecond

// Tail reads what a device sends, whatever happens to its port, and sends nothing itself.
type Tail struct {
	Device *Device
	Wait   time.Duration         // how long the port may be away; 0: for ever
	Text   screen.Buffer         // what the device prints
	Packet func([]byte)          // called with each packet, unless nil
	Linked func(*transport.Conn) // called with the new connection, and with nil when it ended; may be nil
	Gone   func(port string)     // called when the port went away, unless nil
	Back   func(port string)     // called when it is there again, unless nil
}

// NewTail prepares to follow a device. open comes next.
func NewTail(d *Device) *Tail {
	t := &Tail{Device: d}
	d.Settings.Transport.Text = t.Text.Put
	d.Settings.Transport.KeepInput = true
	d.trail.reads = true
	d.Await(AnyIdentity) // nothing is sent, so the bootloader may be looked at as well
	return t
}

// Open connects for the first time.
func (t *Tail) Open(ctx context.Context) (*transport.Conn, error) { return t.Device.link(ctx) }

// Follow reads the connection and those that come after it until ctx ends, which is no error, or the port stays away
// for too long. It ends the text.
func (t *Tail) Follow(ctx context.Context, conn *transport.Conn) error {
	defer t.Text.Close()
	for {
		t.read(ctx, conn)
		if ctx.Err() != nil {
			return nil
		}
		if t.Gone != nil {
			t.Gone(t.Device.Name)
		}
		var err error
		if conn, err = t.Redial(ctx); conn == nil {
			return err
		}
		if t.Back != nil {
			t.Back(t.Device.Name)
		}
	}
}

// read takes packets until the connection or ctx ends.
func (t *Tail) read(ctx context.Context, conn *transport.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer conn.Close()
	defer stop()
	done := make(chan struct{})
	defer close(done)
	t.Device.watch(conn, done)
	if t.Linked != nil {
		t.Linked(conn)
		defer t.Linked(nil)
	}
	for {
		p, err := conn.ReadPacket()
		if err != nil {
			return
		}
		if t.Packet != nil {
			t.Packet(p)
		}
	}
}

// Redial looks for the port until it is there, not at once: somebody may accept connections only to end them. Both
// values are nil when ctx ended.
func (t *Tail) Redial(ctx context.Context) (*transport.Conn, error) {
	since := time.Now()
	tick := time.NewTicker(redialEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil
		}
		conn, err := t.Device.link(ctx)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, nil
		case t.Wait > 0 && time.Since(since) > t.Wait:
			return nil, fmt.Errorf("%w within %v: %w", dfu.ErrNotBack, t.Wait, err)
		}
	}
}
