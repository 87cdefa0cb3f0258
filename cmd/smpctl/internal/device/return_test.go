package device

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/transport"
)

// listed is a bus whose ports nobody opens.
type listed func() ([]transport.Port, error)

func (l listed) Ports() ([]transport.Port, error) { return l() }

func (listed) Open(context.Context, transport.Address, transport.Options) (*transport.Conn, error) {
	return nil, errors.ErrUnsupported
}

// TestWatch takes the console of a board for want of the port that it is known by, which comes two seconds later.
func TestWatch(t *testing.T) {
	both := []transport.Port{console, mcumgr}
	for _, tt := range []struct {
		name     string
		taken    transport.Port
		answered bool          // at once
		ends     time.Duration // the connection, by itself; 0: not
		left     time.Duration // when it was left; 0: not
	}{
		{"silent", console, false, 0, 2 * time.Second},
		{"it answers", console, true, 0, 0},
		{"it goes away before", console, false, time.Second, 0},
		{"it is the right one, and silent", mcumgr, false, time.Minute, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				d := &Device{App: &app.App{Log: slog.New(slog.DiscardHandler)}, current: tt.taken}
				d.App.Bus = listed(func() ([]transport.Port, error) {
					if time.Since(start) < 2*time.Second {
						return []transport.Port{tt.taken}, nil
					}
					return both, nil
				})
				d.trail.begin(mcumgr, both)
				d.trail.returned = start.Add(-portGrace)
				near, far := net.Pipe()
				defer far.Close()
				conn := transport.NewConn(near, transport.Options{Raw: true})
				done := make(chan struct{})
				if tt.answered {
					go far.Write([]byte{1, 0, 0, 1, 0, 0, 0, 0, 0xa0})
					if _, err := conn.ReadPacket(); err != nil {
						t.Fatal(err)
					}
				}
				d.watch(conn, done)
				if tt.ends > 0 {
					time.AfterFunc(tt.ends, func() { conn.Close() })
				} else {
					time.AfterFunc(2*time.Minute, func() { conn.Close() })
				}
				_, err := conn.ReadPacket()
				close(done) // whoever has the connection sees its end
				synctest.Wait()
				took := time.Since(start)
				if left := took < time.Minute && took != tt.ends; left != (tt.left > 0) || left && took != tt.left {
					t.Errorf("ended after %v with %v, want it left after %v", took, err, tt.left)
				}
			})
		})
	}
}

// TestFollowing finds the port to dial after a reset, and says why there is none.
func TestFollowing(t *testing.T) {
	both := []transport.Port{console, mcumgr}
	for _, tt := range []struct {
		name  string
		named string // address of the user
		ports []transport.Port
		after time.Duration // that they have been there
		want  string        // port
		err   string
		hint  string // empty: that of its kind
	}{
		{name: "another number", ports: []transport.Port{called(mcumgr, "ttyACM5"), called(console, "ttyACM4")},
			want: "ttyACM5"},
		{name: "it stays away", err: "open ttyACM1: file does not exist"},
		{name: "another board in its place", ports: []transport.Port{replaced},
			err: "open ttyACM1: what has this name now is 2fe3:0004, serial number F0F1F2F3: another board, or a " +
				"bootloader with a serial number of its own",
			hint: "plug the board of before in again, and the same command takes an update up; what is there now " +
				"can be named with -p usb:2fe3:0004 (ttyACM1)"},
		{name: "a UART of the computer under its name", ports: []transport.Port{{Name: "ttyACM1"}},
			err: "open ttyACM1: what has this name now is not on USB",
			hint: "plug the board of before in again, and the same command takes an update up; what is there now " +
				"can be named with -p ttyACM1"},
		{name: "its first port alone", ports: []transport.Port{console},
			err:  "open ttyACM1: the device is there without interface 2, with ttyACM0 (if=0)",
			hint: "smpctl ports --probe shows which of its ports answers: name that with -p"},
		{name: "its first port alone, for a while", ports: []transport.Port{console}, after: portGrace,
			want: "ttyACM0"},
		{name: "without the named interface for good", named: "usb:2fe3:0004,if=2", after: time.Hour,
			ports: []transport.Port{console, numbered(mcumgr, 4)},
			err:   "open ttyACM1: the device is there without interface 2, with ttyACM0 (if=0), ttyACM1 (if=4)",
			hint:  "smpctl ports --probe shows which of its ports answers: name that with -p"},
		{name: "its bootloader", ports: []transport.Port{boots}, err: errOtherIdentity.Error()},
	} {
		synctest.Test(t, func(t *testing.T) {
			present := both
			bus := listed(func() ([]transport.Port, error) { return present, nil })
			d := &Device{App: &app.App{Bus: bus}, Port: mcumgr, Name: mcumgr.Name}
			var err error
			if d.Settings.Address, err = ParseAddress(tt.named); err != nil {
				t.Fatal(err)
			}
			d.beginTrail()
			present = tt.ports
			_, _ = d.follow()
			time.Sleep(tt.after) // fake
			port, err := d.follow()
			if tt.err == "" && (err != nil || port.Name != tt.want) {
				t.Errorf("%s: got %s, %v, want %s", tt.name, port.Name, err, tt.want)
			}
			if tt.err == "" {
				return
			}
			absent := errors.Is(err, fs.ErrNotExist)
			if err == nil || err.Error() != tt.err || !absent && err != errOtherIdentity {
				t.Errorf("%s: got\n%v, want\n%s", tt.name, err, tt.err)
			}
			hint := failure.Hint(failure.KindOf(t.Context(), err), err, failure.Situation{})
			if tt.hint != "" && hint != tt.hint {
				t.Errorf("%s: hint\n%s, want\n%s", tt.name, hint, tt.hint)
			}
		})
	}
}
