package monitor

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
)

// TestMonitorLeavesADeviceThatTakesNothing types into a port whose driver never ends a write.
func TestMonitorLeavesADeviceThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe() // nobody reads
		defer far.Close()
		conn := transport.NewConn(near, transport.Options{})
		defer conn.Close()
		var link wire
		link.set(conn)
		ctx, end := context.WithCancelCause(t.Context())
		start := time.Now()
		k := &keyboard{app: &app.App{}, in: iotest.OneByteReader(strings.NewReader("ls\x1d")), raw: true}
		k.pass(ctx, &link, end)
		if cause, took := context.Cause(ctx), time.Since(start); cause != errLeft || took > 5*time.Second {
			t.Errorf("after Ctrl-] and %v: %v, want %v soon", took, cause, errLeft)
		}
	})
}
