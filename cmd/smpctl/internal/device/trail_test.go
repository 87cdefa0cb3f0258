package device

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/transport"
)

// What boards show: an application with a console and SMP, its bootloader with one port, and others.
var (
	console  = board("ttyACM0", 4, "B1C2D3E4", 0, "1-1")
	mcumgr   = board("ttyACM1", 4, "B1C2D3E4", 2, "1-1")
	boots    = board("ttyACM0", 0x100, "", 0, "1-1")
	bootText = board("ttyACM1", 0x100, "", 2, "1-1")
	stranger = board("ttyACM1", 4, "F0F1F2F3", 2, "2-1")
	replaced = board("ttyACM1", 4, "F0F1F2F3", 2, "1-1")
	twin     = board("ttyACM5", 4, "B1C2D3E4", 2, "2-1")
	unknown  = transport.Port{Name: "COM7", USB: true, Interface: transport.AnyInterface}
)

func board(name string, pid transport.USBID, serial string, number int, location string) transport.Port {
	return transport.Port{Name: name, USB: true, VID: 0x2fe3, PID: pid, Serial: serial, Interface: number,
		Location: location}
}

func called(p transport.Port, name string) transport.Port { p.Name = name; return p }
func numbered(p transport.Port, n int) transport.Port     { p.Interface = n; return p }

// episode is what is there from some time on, and whether SMP answers on the ports that are named.
type episode struct {
	from    time.Duration
	ports   []transport.Port
	answers string // names
}

// TestTrail has devices that come back in many ways, and looks every 100 ms. What was taken is a list of name@seconds,
// with ! where something answered.
func TestTrail(t *testing.T) {
	type ports = []transport.Port
	both := ports{console, mcumgr}
	var quad ports // a bridge with four UARTs, each of another board
	for i := range 4 {
		quad = append(quad, transport.Port{Name: fmt.Sprint("ttyUSB", i), USB: true, VID: 0x0403, PID: 0x6011,
			Interface: i, Location: "1-3"})
	}
	var octet ports // a bridge with several UARTs on one interface
	for i := range 8 {
		octet = append(octet, called(quad[0], fmt.Sprint("ttyUSB", i)))
	}
	moved := func(ps ports, by int) (moved ports) {
		for i, p := range ps {
			moved = append(moved, called(p, fmt.Sprint("ttyUSB", i+by)))
		}
		return moved
	}
	for _, tt := range []struct {
		name    string
		first   transport.Port
		present ports // at the first connection; nil: first alone
		fixed   bool
		reads   bool
		awaits  identity
		seen    []episode
		want    string // none: nothing was taken
		err     string // why not, in the end
	}{
		{name: "both ports at once", first: mcumgr, present: both,
			seen: []episode{{ports: both, answers: "ttyACM1"}}, want: "ttyACM1@0!"},
		{name: "the first port is back earlier", first: mcumgr, present: both,
			seen: []episode{{ports: ports{console}}, {2 * time.Second, both, "ttyACM1"}}, want: "ttyACM1@2!"},
		{name: "the first port is back earlier, interface named", first: mcumgr, present: both, fixed: true,
			seen: []episode{{ports: ports{console}}, {2 * time.Second, both, "ttyACM1"}}, want: "ttyACM1@2!"},
		{name: "the second port is back earlier", first: console, present: both,
			seen: []episode{{ports: ports{mcumgr}}, {2 * time.Second, both, "ttyACM0"}}, want: "ttyACM0@2!"},
		{name: "other numbers", first: mcumgr, present: both, seen: []episode{{
			ports: ports{called(console, "ttyACM7"), called(mcumgr, "ttyACM6"), stranger}, answers: "ttyACM6"}},
			want: "ttyACM6@0!"},
		{name: "the right port is silent: the other one is never asked", first: mcumgr, present: both,
			seen: []episode{{ports: both, answers: "ttyACM0"}}, want: "ttyACM1@0"},
		{name: "very late: taken meanwhile is left again", first: mcumgr, present: both,
			seen: []episode{{ports: ports{console}}, {8 * time.Second, both, "ttyACM1"}}, want: "ttyACM0@5 ttyACM1@8!"},
		{name: "very late, interface named", first: mcumgr, present: both, fixed: true,
			seen: []episode{{ports: ports{console}}, {8 * time.Second, both, "ttyACM1"}}, want: "ttyACM0@5 ttyACM1@8!"},
		{name: "away in between: the grace begins again", first: mcumgr, present: both,
			seen: []episode{{ports: ports{console}}, {3 * time.Second, nil, ""}, {4 * time.Second, ports{console}, ""},
				{6 * time.Second, both, "ttyACM1"}}, want: "ttyACM1@6!"},
		{name: "an answer holds", first: mcumgr, present: both,
			seen: []episode{{ports: ports{console}, answers: "ttyACM0"}, {8 * time.Second, both, "ttyACM0 ttyACM1"}},
			want: "ttyACM0@5!"},

		{name: "one port, another interface now", first: mcumgr,
			seen: []episode{{ports: ports{numbered(mcumgr, 4)}, answers: "ttyACM1"}}, want: "ttyACM1@5!"},
		{name: "one port, another interface than the named one", first: mcumgr, fixed: true,
			seen: []episode{{ports: ports{numbered(mcumgr, 4)}, answers: "ttyACM1"}}, want: "ttyACM1@5!"},
		{name: "two ports, the interface renumbered", first: mcumgr, present: both,
			seen: []episode{{ports: ports{console, numbered(mcumgr, 4)}, answers: "ttyACM1"}},
			want: "ttyACM0@5 ttyACM1@10!"},
		{name: "two ports, the named interface renumbered: no guess", first: mcumgr, present: both, fixed: true,
			seen: []episode{{ports: ports{console, numbered(mcumgr, 4)}, answers: "ttyACM1"}},
			err:  "without interface 2, with ttyACM0 (if=0), ttyACM1 (if=4)"},
		{name: "new firmware has a console before it", first: console,
			seen: []episode{{ports: both, answers: "ttyACM1"}}, want: "ttyACM0@0 ttyACM1@5!"},

		{name: "bootloader with one interface", first: mcumgr, present: both,
			seen: []episode{{ports: ports{boots}, answers: "ttyACM0"}}, want: "ttyACM0@1.5!"},
		{name: "bootloader with one interface, another one named", first: mcumgr, present: both, fixed: true,
			seen: []episode{{ports: ports{boots}, answers: "ttyACM0"}}, want: "ttyACM0@1.5!"},
		{name: "bootloader wanted", first: mcumgr, present: both, fixed: true, awaits: AnyIdentity,
			seen: []episode{{ports: ports{boots}, answers: "ttyACM0"}}, want: "ttyACM0@0!"},
		{name: "bootloader wanted, with the identity of the application", first: mcumgr,
			present: both, awaits: AnyIdentity,
			seen: []episode{{ports: ports{console}, answers: "ttyACM0"}}, want: "ttyACM0@0!"},
		{name: "bootloader wanted, and it is the application that comes", first: mcumgr,
			present: both, awaits: AnyIdentity,
			seen: []episode{{ports: ports{console}}, {time.Second, both, "ttyACM1"}}, want: "ttyACM0@0 ttyACM1@1!"},
		{name: "bootloader for a second", first: mcumgr, present: both,
			seen: []episode{{ports: ports{boots}}, {time.Second, nil, ""}, {2 * time.Second, both, "ttyACM1"}},
			want: "ttyACM1@2!"},
		{name: "bootloader with two ports", first: console, awaits: AnyIdentity,
			seen: []episode{{ports: ports{boots, bootText}, answers: "ttyACM1"}}, want: "ttyACM0@0 ttyACM1@5!"},
		{name: "back from the bootloader, application never seen", first: boots, awaits: OtherIdentity,
			seen: []episode{{ports: both, answers: "ttyACM1"}}, want: "ttyACM0@0 ttyACM1@5!"},
		{name: "nothing answers on either", first: boots, awaits: OtherIdentity,
			seen: []episode{{ports: both}}, want: "ttyACM0@0 ttyACM1@5 ttyACM0@10 ttyACM1@15"},

		{name: "four UARTs, four boards: never another one", first: quad[2], present: quad,
			seen: []episode{{ports: moved(quad, 4), answers: "ttyUSB4 ttyUSB5 ttyUSB7"}}, want: "ttyUSB6@0"},
		{name: "eight UARTs on one interface: the third stays the third", first: octet[2], present: octet,
			seen: []episode{{ports: moved(octet, 8), answers: "ttyUSB8 ttyUSB10"}}, want: "ttyUSB10@0!"},

		{name: "two boards with one serial number, and one is gone", first: mcumgr,
			present: ports{mcumgr, twin},
			seen:    []episode{{ports: ports{called(twin, "ttyACM1")}, answers: "ttyACM1"}},
			err:     "not there"},
		{name: "another board in its place", first: mcumgr,
			seen: []episode{{ports: ports{replaced}, answers: "ttyACM1"}},
			err:  "not there"},
		{name: "it stays away", first: mcumgr, present: both, seen: []episode{{}}, err: "not there"},

		{name: "a reader takes a bootloader at once", first: mcumgr, present: both, reads: true, awaits: AnyIdentity,
			seen: []episode{{ports: ports{boots}}}, want: "ttyACM0@0"},
		{name: "a reader stays with its port", first: console, present: both, reads: true, awaits: AnyIdentity,
			seen: []episode{{ports: both}}, want: "ttyACM0@0"},
		{name: "a reader waits for its port", first: mcumgr, present: both, reads: true, awaits: AnyIdentity,
			seen: []episode{{ports: ports{console}}, {500 * time.Millisecond, both, ""}}, want: "ttyACM1@0.5"},
		{name: "a reader goes to its port when that comes late", first: mcumgr,
			present: both, reads: true, awaits: AnyIdentity,
			seen: []episode{{ports: ports{console}}, {3 * time.Second, both, ""}}, want: "ttyACM0@1 ttyACM1@3"},
		{name: "Windows, other numbers", first: called(mcumgr, "COM8"),

			present: ports{called(console, "COM7"), called(mcumgr, "COM8")},
			seen: []episode{{ports: ports{called(console, "COM12")}},
				{time.Second, ports{called(console, "COM12"), called(mcumgr, "COM3")}, "COM3"}},
			want: "COM3@1!"},
		{name: "Windows, no places and no serial numbers", first: unknown,
			seen: []episode{{}, {time.Second, ports{unknown}, "COM7"}},
			want: "COM7@1!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.present == nil {
				tt.present = ports{tt.first}
			}
			tr := &trail{fixed: tt.fixed, reads: tt.reads, awaits: tt.awaits}
			tr.begin(tt.first, tt.present)
			got, err := ride(tr, tt.seen, 20*time.Second)
			if got != tt.want {
				t.Errorf("took %q, want %q", got, tt.want)
			}
			absent := errors.Is(err, fs.ErrNotExist)
			if tt.err != "" && (!absent || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("ended with %v, want %q", err, tt.err)
			}
		})
	}
}

// ride follows a trail for some time.
func ride(tr *trail, seen []episode, limit time.Duration) (taken string, last error) {
	start := time.Unix(1e9, 0)
	var at transport.Port
	var since time.Time
	answered := false
	for now := start; now.Sub(start) < limit; now = now.Add(100 * time.Millisecond) {
		e := seen[0]
		for _, s := range seen {
			if now.Sub(start) >= s.from {
				e = s
			}
		}
		if at.Name != "" && !slices.Contains(e.ports, at) { // the connection ends
			at, answered = transport.Port{}, false
		}
		if at.Name != "" && !answered && tr.judge(now, e.ports, at, since) == leave {
			at = transport.Port{}
		}
		if at.Name == "" {
			if at, last = tr.next(now, e.ports); last != nil {
				continue
			}
			since = now
			taken += fmt.Sprintf(" %s@%v", at.Name, now.Sub(start).Seconds())
		}
		if !answered && slices.Contains(strings.Fields(e.answers), at.Name) {
			answered = true
			tr.settle(at, e.ports)
			taken += "!"
		}
	}
	return strings.TrimSpace(taken), last
}

// TestTrailRemembers: a device that was in its bootloader comes back to the port that it was known by, and the
// interface that answered is known of the bootloader too.
func TestTrailRemembers(t *testing.T) {
	both := []transport.Port{console, mcumgr}
	inside := []transport.Port{boots, bootText}
	tr := &trail{awaits: AnyIdentity}
	tr.begin(mcumgr, both)
	for i, tt := range []struct {
		seen []episode
		want string
	}{
		{[]episode{{ports: inside, answers: "ttyACM0"}}, "ttyACM1@0 ttyACM0@5!"},
		{[]episode{{}, {time.Second, both, "ttyACM1"}}, "ttyACM1@1!"},
		{[]episode{{}, {time.Second, inside, "ttyACM0"}}, "ttyACM0@1!"},
		{[]episode{{}, {time.Second, []transport.Port{bootText}, ""}, {1500 * time.Millisecond, inside, "ttyACM0"}},
			"ttyACM1@1 ttyACM0@1.5!"},
	} {
		if got, _ := ride(tr, tt.seen, 8*time.Second); got != tt.want {
			t.Errorf("%d: took %q, want %q", i, got, tt.want)
		}
	}
}

// TestTrailRemembersShapes: a bootloader that calls itself as the application does is told from it by the number of its
// ports, and the application is back at its own port without a detour.
func TestTrailRemembersShapes(t *testing.T) {
	both := []transport.Port{console, mcumgr}
	tr := &trail{}
	tr.begin(mcumgr, both)
	for i, tt := range []struct {
		awaits identity
		seen   []episode
		want   string
	}{
		{AnyIdentity, []episode{{ports: []transport.Port{console}, answers: "ttyACM0"}}, "ttyACM0@0!"},
		{OtherIdentity, []episode{{}, {time.Second, both, "ttyACM1"}}, "ttyACM1@2.5!"},
		{OtherIdentity, []episode{{}, {time.Second, []transport.Port{console}, ""}, {3 * time.Second, both, "ttyACM1"}},
			"ttyACM0@2.5 ttyACM1@3!"},
		{firstIdentity, []episode{{}, {time.Second, []transport.Port{console}, "ttyACM0"}}, "ttyACM0@1!"},
	} {
		tr.awaits = tt.awaits
		if got, _ := ride(tr, tt.seen, 8*time.Second); got != tt.want {
			t.Errorf("%d: took %q, want %q", i, got, tt.want)
		}
	}
}

// TestTrailOfManyFaces: what a device calls itself is its own choice, and must not cost ever more memory.
func TestTrailOfManyFaces(t *testing.T) {
	tr := &trail{awaits: AnyIdentity}
	tr.begin(console, []transport.Port{console})
	for i := range 1000 {
		p := board("ttyACM0", transport.USBID(i), "B1C2D3E4", 0, "1-1")
		if got, err := tr.next(time.Unix(int64(i), 0), []transport.Port{p}); err != nil || got != p {
			t.Fatalf("face %d: got %+v, %v", i, got, err)
		}
		tr.settle(p, []transport.Port{p})
	}
	if len(tr.homes) > maxHomes {
		t.Errorf("%d homes, want at most %d", len(tr.homes), maxHomes)
	}
}
