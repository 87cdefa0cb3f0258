package device

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// bench is a rack with an App on it.
type bench struct {
	*testing.T
	rack *sim.Rack
	app  *app.App
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, rack: sim.NewRack()}
	t.Cleanup(func() {
		if err := b.rack.Close(); err != nil {
			t.Error(err)
		}
	})
	b.app = appWith(NewRack(b.rack), "usb:2fe3:0004")
	b.app.Flags.Wait = app.DefaultWait
	return b
}

// plug puts a new board into a socket.
func (b *bench) plug(serial, socket string) *sim.Board {
	b.Helper()
	board, err := b.rack.Add(sim.Facts{Serial: serial}, sim.Options{})
	if err == nil {
		err = board.Plug(socket)
	}
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(time.Second) // it boots
	return board
}

// plan are the boards that are there.
func (b *bench) plan(expect int) []fleet.Board {
	b.Helper()
	plan, err := All(b.Context(), b.app, nil, fleet.PlanOptions{Expect: expect})
	if err != nil {
		b.Fatal(err)
	}
	return plan.Boards
}

// open is the device of a board.
func (b *bench) open(board fleet.Board) *Device {
	b.Helper()
	child := b.app.ForBoard(board.Name, nil)
	b.Cleanup(child.End)
	child.Flags.Port = board.Address
	d, err := New(child)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.Close)
	return d
}

// TestAllReaches: every board of a plan is reached under its address, all at once, and comes back as itself.
func TestAllReaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for i, serial := range []string{"E66C0001", "E66C0002", "", "0123456789ABCDEF", "0123456789ABCDEF"} {
			b.plug(serial, "1-1."+string(rune('1'+i)))
		}
		reports := fleet.Run(t.Context(), b.plan(5), fleet.Options{},
			func(ctx context.Context, x fleet.Board) (string, error) {
				d := b.open(x)
				_, err := dfu.Reboot(ctx, d.Connect, dfu.RebootOptions{})
				return d.current.Serial + " " + d.current.Location, err
			})
		want := []string{"E66C0001 1-1.1", "E66C0002 1-1.2", " 1-1.3", "0123456789ABCDEF 1-1.4", "0123456789ABCDEF 1-1.5"}
		for i, r := range reports {
			if r.Err != nil || r.Value != want[i] {
				t.Errorf("%s reached %s, %v, want %s", r.Board.Name, r.Value, r.Err, want[i])
			}
		}
	})
}

// TestSwappedBeforeOpened: a board is pulled out after the plan was made, and another one is put into its socket.
func TestSwappedBeforeOpened(t *testing.T) {
	const socket = "1-1.1"
	for _, tt := range []struct{ name, serial, other, want string }{
		{"another serial number", "E66C0001", "E66C0009", "no port matches; present: ttySIM0, ttySIM1 (waited 10s)"},
		{"no serial number", "E66C0001", "", "no port matches; present: ttySIM0, ttySIM1 (waited 10s)"},
		{"the same board again", "E66C0001", "E66C0001", ""},
		{"neither has a serial number: both are called after their place", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				first := b.plug(tt.serial, socket)
				b.plug("E66C0002", "1-1.2")
				board := b.plan(2)[0]
				first.Unplug()
				b.plug(tt.other, socket)
				c, err := b.open(board).Connect(t.Context())
				if err == nil {
					c.Close()
				}
				if tt.want == "" && err == nil {
					return
				}
				want := "open " + board.Address + ": " + tt.want
				if err == nil || err.Error() != want || failure.KindOf(t.Context(), err).Name != "port" {
					t.Errorf("%s: %v, want %q", board.Name, err, want)
				}
			})
		})
	}
}

// TestTwinWhileAway: while a board of a plan is away, one with its serial number is put into another socket. It is not
// taken for the first one, and that one is found again in its own place.
func TestTwinWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		first := b.plug("2066366D", "1-1.1")
		d := b.open(b.plan(1)[0])
		c, err := d.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		first.Unplug()
		twin := b.plug("2066366D", "1-1.2")
		_, err = d.Connect(t.Context())
		const want = "open ttySIM0: the device is plugged in at 1-1.2 now, and the address means 1-1.1"
		if err == nil || err.Error() != want || !isAbsent(err) {
			t.Fatalf("while it is away: %v, want %q", err, want)
		}
		if err := first.Plug("1-1.1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if c, err = d.Connect(t.Context()); err != nil || d.current.Location != "1-1.1" {
			t.Fatalf("when it is back: %s, %v", d.current.Location, err)
		}
		c.Close()
		twin.Unplug()
	})
}

// TestMovedWithoutPlace: who names no place goes on with the board wherever it is.
func TestMovedWithoutPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		board := b.plug("2066366D", "1-1.1")
		d, err := New(b.app)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, socket := range []string{"1-1.1", "1-1.2"} {
			board.Unplug()
			if err := board.Plug(socket); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			c, err := d.Connect(t.Context())
			if err != nil || d.current.Location != socket {
				t.Fatalf("%s: %s, %v", socket, d.current.Location, err)
			}
			c.Close()
		}
	})
}

// passing is a bus on which the name of a port goes to another board while it is being opened: a port that is busy is
// tried for seconds.
type passing struct {
	ports []transport.Port // that are there now
	later []transport.Port // that are there when the port is open
}

func (p *passing) Ports() ([]transport.Port, error) { return p.ports, nil }

func (p *passing) Open(ctx context.Context, a transport.Address, o transport.Options) (*transport.Conn, error) {
	port, err := a.Choose(p.ports)
	if err != nil {
		return nil, &transport.OpenError{Address: a.String(), Err: err}
	}
	here, there := net.Pipe()
	conn, err := transport.OpenPort(ctx, port, o, func() (io.ReadWriteCloser, error) { return here, nil })
	context.AfterFunc(ctx, func() { there.Close() })
	p.ports = p.later
	return conn, err
}

// TestNamePassedOn: the port that was found is not the one that is opened, because its name was given to another board
// meanwhile.
func TestNamePassedOn(t *testing.T) {
	one, other := board("ttyACM0", 4, "A1B2C3D4", 0, "1-1.1"), board("ttyACM0", 4, "E5F6A7B8", 0, "1-1.1")
	for _, tt := range []struct {
		name  string
		later []transport.Port
		want  string
	}{
		{"another board has it", []transport.Port{other}, "open usb:serial=A1B2C3D4: the port has just got another name"},
		{"it is the same", []transport.Port{one}, ""},
		{"it has gone again, as the connection will tell", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := appWith(&passing{[]transport.Port{one}, tt.later}, "usb:serial=A1B2C3D4")
			if _, err := All(t.Context(), a, nil, fleet.PlanOptions{}); err != nil { // has listed the ports just now
				t.Fatal(err)
			}
			d, err := New(a)
			if err != nil {
				t.Fatal(err)
			}
			c, err := d.Connect(t.Context())
			if err == nil {
				c.Close()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
