package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/transport"
)

// sight is what a look at the machine shows from some time on: the ports that are there, and what opening gives.
type sight struct {
	from  time.Duration
	ports []transport.Port
	err   error // nil: the port opens
}

// machine shows one sight after the other.
type machine struct {
	start  time.Time
	sights []sight
	opened int // how often a port was
}

func (m *machine) now() sight {
	at := m.sights[0]
	for _, s := range m.sights {
		if time.Since(m.start) >= s.from {
			at = s
		}
	}
	return at
}

// TestArrival has ports that come, go and stay away, and users with more or less time.
func TestArrival(t *testing.T) {
	var (
		shell  = transport.Port{Name: "/dev/ttyACM0", USB: true, VID: 0x2fe3, PID: 4, Interface: 0}
		smpACM = transport.Port{Name: "/dev/ttyACM1", USB: true, VID: 0x2fe3, PID: 4, Interface: 2}
		absent = &transport.OpenError{Address: "x", Err: os.ErrNotExist}
		denied = &transport.OpenError{Address: "x", Err: os.ErrPermission}
		busy   = &transport.OpenError{Address: "x", Err: transport.ErrBusy}
		broken = &transport.OpenError{Address: "x", Err: errors.New("input/output error")}
	)
	for _, tt := range []struct {
		name    string
		address string
		wait    time.Duration
		sights  []sight
		stop    time.Duration // when the user presses Ctrl-C
		want    time.Duration // when it ended
		err     error         // how; nil: with a port
		waited  bool
		opened  int // 0: 1 for a success
	}{
		{name: "it is there", address: "x", wait: time.Minute, sights: []sight{{}}},
		{name: "it comes", address: "x", wait: time.Minute,
			sights: []sight{{err: absent}, {from: 1950 * time.Millisecond}}, want: 2 * time.Second, waited: true},
		{name: "it comes at the last moment", address: "x", wait: 2 * time.Second,
			sights: []sight{{err: absent}, {from: 1950 * time.Millisecond}}, want: 2 * time.Second, waited: true},
		{name: "it stays away", address: "x", wait: 10 * time.Second, sights: []sight{{err: absent}},
			want: 10 * time.Second, err: os.ErrNotExist, waited: true},
		{name: "nobody wants to wait", address: "x", sights: []sight{{err: absent}}, err: os.ErrNotExist},
		{name: "the user stops", address: "x", wait: time.Minute, sights: []sight{{err: absent}},
			stop: 350 * time.Millisecond, want: 350 * time.Millisecond, err: os.ErrNotExist, waited: true},
		{name: "busy is not absent", address: "x", wait: time.Minute, sights: []sight{{err: busy}},
			err: transport.ErrBusy},
		{name: "no permission is not absent", address: "x", wait: time.Minute, sights: []sight{{err: denied}},
			err: os.ErrPermission},
		{name: "permission comes after the node", address: "x", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, err: denied}, {from: 1600 * time.Millisecond}},
			want:   1600 * time.Millisecond, waited: true},
		{name: "permission never comes", address: "x", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, err: denied}},
			want:   2 * time.Second, err: os.ErrPermission, waited: true},
		{name: "gone again before it could be opened", address: "x", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, err: broken},
				{from: 1500 * time.Millisecond, err: absent},
				{from: 5 * time.Second, err: broken}, {from: 5500 * time.Millisecond}},
			want: 5500 * time.Millisecond, waited: true},
		{name: "comes and goes for ever", address: "x", wait: 3 * time.Second,
			sights: []sight{{err: absent}, {from: time.Second, err: broken},
				{from: 1500 * time.Millisecond, err: absent}},
			want: 3 * time.Second, err: os.ErrNotExist, waited: true},

		{name: "a server that starts", address: "tcp:localhost:7777", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second}}, want: time.Second, waited: true},
		{name: "udp has no port to wait for", address: "udp:board", wait: time.Minute, sights: []sight{{err: absent}},
			err: os.ErrNotExist},
		{name: "a file of the virtual device is no port", address: "sim:a/b", wait: time.Minute,
			sights: []sight{{err: absent}}, err: os.ErrNotExist},

		{name: "the only USB port", address: "", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, ports: []transport.Port{shell}}},
			want:   1100 * time.Millisecond, waited: true, opened: 1},
		{name: "the only USB port was the first of two", address: "", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, ports: []transport.Port{shell}},
				{from: 1050 * time.Millisecond, ports: []transport.Port{shell, smpACM}}},
			want: 1100 * time.Millisecond, err: &transport.ChoiceError{Matched: 2}, waited: true},
		{name: "by interface", address: "usb:2fe3:0004,if=2", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, ports: []transport.Port{shell}},
				{from: 2 * time.Second, ports: []transport.Port{shell, smpACM}}},
			want: 2100 * time.Millisecond, waited: true, opened: 1},
		{name: "another board is plugged in", address: "usb:1234:0001", wait: 4 * time.Second,
			sights: []sight{{err: absent}, {from: time.Second, ports: []transport.Port{shell}}},
			want:   4 * time.Second, err: os.ErrNotExist, waited: true},
		{name: "it flickers", address: "usb:2fe3:0004", wait: time.Minute,
			sights: []sight{{err: absent}, {from: time.Second, ports: []transport.Port{shell}},
				{from: 1050 * time.Millisecond}, {from: 3 * time.Second, ports: []transport.Port{shell}}},
			want: 3100 * time.Millisecond, waited: true, opened: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				address, err := ParseAddress(tt.address)
				if err != nil {
					t.Fatal(err)
				}
				m := &machine{start: time.Now(), sights: tt.sights}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.stop > 0 {
					time.AfterFunc(tt.stop, func() { cancel(failure.ErrInterrupted) })
				}
				announced := 0
				a := &arrival{address: address, wait: tt.wait, announce: func() { announced++ },
					ports: func() ([]transport.Port, error) { return m.now().ports, nil },
					open: func(context.Context) (*transport.Conn, error) {
						if s := m.now(); s.err != nil {
							return nil, s.err
						}
						m.opened++
						return new(transport.Conn), nil
					}}
				conn, err := a.await(ctx)
				got := fmt.Sprintf("after %v, waited %v, announced %d times, opened %d times",
					time.Since(m.start), a.waited, announced, m.opened)
				if tt.err == nil {
					tt.opened = 1
				}
				want := fmt.Sprintf("after %v, waited %v, announced %d times, opened %d times",
					tt.want, tt.waited, map[bool]int{true: 1}[tt.waited], tt.opened)
				if got != want {
					t.Errorf("got %s\nwant %s", got, want)
				}
				if !sameEnd(conn, err, tt.err) {
					t.Errorf("got %v, %v, want %v", conn != nil, err, tt.err)
				}
			})
		})
	}
}

// sameEnd reports whether there is a connection, or the error that is wanted instead.
func sameEnd(conn *transport.Conn, err, want error) bool {
	var choice, wanted *transport.ChoiceError
	if errors.As(want, &wanted) {
		return conn == nil && errors.As(err, &choice) && choice.Matched == wanted.Matched
	}
	return (conn != nil) == (want == nil) && errors.Is(err, want)
}

// TestArrivalByContext lets whoever asked for the connection end the wait, as recover does.
func TestArrivalByContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		a := &arrival{address: address{transport.Address{Kind: transport.KindPath, Path: "x"}}, wait: time.Hour,
			announce: func() {}, open: func(context.Context) (*transport.Conn, error) { return nil, os.ErrNotExist }}
		if _, err := a.await(ctx); !errors.Is(err, os.ErrNotExist) || time.Since(start) != 500*time.Millisecond {
			t.Errorf("got %v after %v, want %v after 500ms", err, time.Since(start), os.ErrNotExist)
		}
	})
}
