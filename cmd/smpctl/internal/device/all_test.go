package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/transport"
)

// appWith is an App on a bus, with these -p.
func appWith(bus app.Bus, ports ...string) *app.App {
	a := app.New(app.Streams{Out: io.Discard, Err: io.Discard}, func(string) (string, bool) { return "", false })
	a.Bus, a.Log = bus, slog.New(slog.DiscardHandler)
	if len(ports) > 0 {
		a.Flags.Port, a.Flags.MorePorts = ports[0], ports[1:]
	}
	return a
}

// there is a bus with these ports.
func there(ports ...transport.Port) listed {
	return func() ([]transport.Port, error) { return ports, nil }
}

// told is a plan in words: name, address, and why a board is refused.
func told(p fleet.Plan) (texts []string) {
	for _, b := range p.Boards {
		text := b.Name + " " + b.Address
		if b.Refused != nil {
			text += ": " + b.Refused.Error()
		}
		texts = append(texts, text)
	}
	return texts
}

func TestAll(t *testing.T) {
	one, two := board("ttyACM0", 4, "A1B2C3D4", 0, "1-1.1"), board("ttyACM1", 4, "E5F6A7B8", 0, "1-1.2")
	second := numbered(called(two, "ttyACM2"), 2)
	shared := board("ttyACM5", 4, "0123456789ABCDEF", 0, "1-3")
	sharedToo := board("ttyACM6", 4, "0123456789ABCDEF", 0, "1-4")
	twinOfOne := board("ttyACM7", 4, "A1B2C3D4", 0, "1-5")
	disguised := board("ttyACM8", 4, "A1B2C3D4,if=3", 0, "1-6")
	uart := transport.Port{Name: "ttyS0", Interface: transport.AnyInterface}
	link := filepath.Join(t.TempDir(), "board")
	if err := os.Symlink(link+"-itself", link); err != nil {
		t.Skip(err)
	}
	const exactOne, exactTwo = "A1B2C3D4 usb:2fe3:0004,serial=A1B2C3D4,location=1-1.1",
		"E5F6A7B8 usb:2fe3:0004,serial=E5F6A7B8,location=1-1.2"
	type ports = []transport.Port
	type texts = []string
	for _, tt := range []struct {
		name  string
		named texts
		ports ports
		want  texts
	}{
		{"all of a kind", texts{"usb:2fe3:0004"}, ports{two, one, uart}, texts{exactOne, exactTwo}},
		{"all below a hub", texts{"usb:location=1-1.*"}, ports{one, two, shared}, texts{exactOne, exactTwo}},
		{"several addresses add up", texts{"usb:serial=E5F6A7B8", "ttyACM0", "tcp:localhost:4444", "sim:"},
			ports{one, two}, texts{"sim: sim:", "tcp:localhost:4444 tcp:localhost:4444", exactOne, exactTwo}},
		{"the same board by several addresses", texts{"usb:2fe3:0004", "ttyACM1", "usb:location=1-1.2"},
			ports{one, two}, texts{exactOne, exactTwo}},
		{"a name that no list has", texts{"COM9", "ttyS0"}, ports{one, uart}, texts{"COM9 COM9", "ttyS0 ttyS0"}},
		{"two ports of a board", texts{"usb:2fe3:0004"}, ports{one, two, second},
			texts{exactOne, exactTwo + ",if=0: the board has several ports that fit: ttyACM1 (if=0), ttyACM2 (if=2)"}},
		{"one of the two was asked for", texts{"usb:2fe3:0004,if=2"}, ports{one, two, second},
			texts{exactTwo + ",if=2"}},
		{"the only one was asked for", texts{"usb:serial=E5F6A7B8,if=0"}, ports{one, two}, texts{exactTwo + ",if=0"}},
		{"one of the two by its name", texts{"ttyACM2"}, ports{one, two, second}, texts{exactTwo + ",if=2"}},
		{"each of the two", texts{"usb:2fe3:0004,if=0", "usb:2fe3:0004,if=2"}, ports{two, second},
			texts{"ttyACM1" + exactTwo[8:] + ",if=0", "ttyACM2" + exactTwo[8:] + ",if=2"}},
		{"serial numbers of many boards", texts{"usb:2fe3:0004"}, ports{shared, sharedToo},
			texts{"1-3 usb:2fe3:0004,serial=0123456789ABCDEF,location=1-3",
				"1-4 usb:2fe3:0004,serial=0123456789ABCDEF,location=1-4"}},
		{"one identity twice", texts{"usb:2fe3:0004"}, ports{one, two, twinOfOne}, texts{
			"1-1.1" + exactOne[8:] + ": 2 boards say that they are 2fe3:0004 with serial number A1B2C3D4, and cannot be " +
				"told apart: ttyACM0 at 1-1.1, ttyACM7 at 1-5", exactTwo,
			"1-5 usb:2fe3:0004,serial=A1B2C3D4,location=1-5: 2 boards say that they are 2fe3:0004 with serial number " +
				"A1B2C3D4, and cannot be told apart: ttyACM0 at 1-1.1, ttyACM7 at 1-5"}},
		{"a serial number that is no text of an address", texts{"usb:location=1-6"}, ports{disguised},
			texts{"1-6 usb:2fe3:0004,location=1-6"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := appWith(there(tt.ports...), tt.named...)
			plan, err := All(t.Context(), a, nil, fleet.PlanOptions{})
			if diff := cmp.Diff(tt.want, told(plan)); err != nil || diff != "" {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
			given, err := All(t.Context(), appWith(a.Bus), tt.named, fleet.PlanOptions{})
			if diff := cmp.Diff(plan, given); err != nil || diff != "" {
				t.Errorf("by argument: %v, -by flag +got:\n%s", err, diff)
			}
		})
	}
}

// TestAllOfEnvironment: what says where the device is says it of boards too, and nothing is no answer.
func TestAllOfEnvironment(t *testing.T) {
	a := appWith(there(board("ttyACM0", 4, "A1B2C3D4", 0, "1-1.1")))
	_, err := All(t.Context(), a, nil, fleet.PlanOptions{})
	if !failure.IsUsage(t.Context(), err) {
		t.Errorf("without an address: %v, want wrong usage", err)
	}
	a.Env = func(name string) (string, bool) { return "usb:2fe3:0004", name == PortVariable }
	plan, err := All(t.Context(), a, nil, fleet.PlanOptions{Expect: 1})
	if err != nil || plan.Boards[0].Name != "A1B2C3D4" {
		t.Errorf("%s: %+v, %v", PortVariable, plan, err)
	}
	a.Flags.Port = "usb:2fe3"
	var wrong *transport.AddressError
	if _, err := All(t.Context(), a, nil, fleet.PlanOptions{}); !errors.As(err, &wrong) {
		t.Errorf("-p usb:2fe3: %v", err)
	}
}

// TestSeveralPorts: who wants one device says that it was given several.
func TestSeveralPorts(t *testing.T) {
	_, err := New(appWith(there(), "/dev/ttyACM0", "/dev/ttyACM1"))
	if want := "-p /dev/ttyACM0 and -p /dev/ttyACM1: one device is wanted"; !failure.IsUsage(t.Context(), err) ||
		err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestAllWaits: boards that come one after the other are waited for, as long as the command waits for a port.
func TestAllWaits(t *testing.T) {
	one, two := board("ttyACM0", 4, "A1B2C3D4", 0, "1-1.1"), board("ttyACM1", 4, "E5F6A7B8", 0, "1-1.2")
	second := numbered(called(two, "ttyACM2"), 2)
	type when = map[time.Duration][]transport.Port
	type ports = []transport.Port
	const kind = "usb:2fe3:0004"
	for _, tt := range []struct {
		name   string
		named  []string
		expect int
		ports  when
		boards int
		after  time.Duration
		text   string // of the error
	}{
		{"all there", []string{kind}, 2, when{0: {one, two}}, 2, 0, ""},
		{"as many as there are", []string{kind}, 0, when{0: {one}, time.Second: {one, two}}, 1, 0, ""},
		{"one after the other", []string{kind}, 2, when{time.Second: {one}, 3 * time.Second: {one, two}}, 2,
			4 * time.Second, ""},
		{"first none, then several", []string{kind}, 0, when{time.Second: {one}, 1500 * time.Millisecond: {one, two}}, 2,
			2500 * time.Millisecond, ""},
		{"a second port comes later", []string{kind}, 1, when{time.Second: {two}, 1800 * time.Millisecond: {two, second}},
			1, 2800 * time.Millisecond, ""},
		{"too few", []string{kind}, 3, when{0: {one, two}}, 2, 10 * time.Second,
			"3 boards expected, 2 there: A1B2C3D4 (ttyACM0), E5F6A7B8 (ttyACM1) (waited 10s)"},
		{"too many", []string{kind}, 1, when{0: {one, two}}, 2, 0,
			"1 board expected, 2 there: A1B2C3D4 (ttyACM0), E5F6A7B8 (ttyACM1)"},
		{"too many in the end", []string{kind}, 1, when{time.Second: {one}, 1500 * time.Millisecond: {one, two}}, 2,
			1500 * time.Millisecond, "1 board expected, 2 there: A1B2C3D4 (ttyACM0), E5F6A7B8 (ttyACM1)"},
		{"one address means nothing", []string{kind, "usb:serial=F"}, 0, when{0: {one}}, 1, 10 * time.Second,
			"open usb:serial=F: no port matches; present: ttyACM0 (waited 10s)"},
		{"its board comes", []string{"usb:serial=A1B2C3D4", "usb:serial=E5F6A7B8"}, 0,
			when{0: {one}, 2 * time.Second: {one, two}}, 2, 3 * time.Second, ""},
		{"a file that is not there", []string{"/nowhere/ttyACM0"}, 0, when{}, 0, 10 * time.Second,
			"open /nowhere/ttyACM0: file does not exist (waited 10s)"},
		{"a board that comes and goes", []string{kind}, 2, when{0: {one}, 2 * time.Second: {one, two},
			2500 * time.Millisecond: {one}, 3 * time.Second: {one, two}}, 2, 4 * time.Second, ""},
		{"another board comes and goes all the time", []string{kind}, 2, restless(ports{one, two}, stranger), 2,
			11 * time.Second, ""},
		{"it comes in the last moment", []string{kind}, 2, when{0: {one}, 9950 * time.Millisecond: {one, two}}, 2,
			10950 * time.Millisecond, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "a file that is not there" && runtime.GOOS == "windows" {
				t.Skip("a port is no file there")
			}
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				bus := listed(func() (now ports, err error) {
					latest := time.Duration(-1)
					for from, ports := range tt.ports {
						if from <= time.Since(began) && from > latest {
							latest, now = from, ports
						}
					}
					return now, nil
				})
				a := appWith(bus, tt.named...)
				a.Flags.Wait = app.DefaultWait
				plan, err := All(t.Context(), a, nil, fleet.PlanOptions{Expect: tt.expect})
				took := time.Since(began)
				if len(plan.Boards) != tt.boards || took < tt.after || took > tt.after+lookEvery {
					t.Errorf("%d boards after %v, want %d after %v", len(plan.Boards), took, tt.boards, tt.after)
				}
				if err == nil && tt.text == "" {
					return
				}
				if err == nil || err.Error() != tt.text || failure.KindOf(t.Context(), err).Name != "port" {
					t.Errorf("%v, want %q", err, tt.text)
				}
			})
		})
	}
}

// restless is a bus to which boards come after three seconds, and another one comes and goes all the time.
func restless(boards []transport.Port, other transport.Port) map[time.Duration][]transport.Port {
	other.PID++
	when := map[time.Duration][]transport.Port{}
	for from := 3 * time.Second; from < time.Minute; from += time.Second {
		when[from] = append([]transport.Port{other}, boards...)
		when[from+time.Second/2] = boards
	}
	return when
}

func TestAllStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		a := appWith(there(), "usb:2fe3:0004")
		a.Flags.Wait = app.DefaultWait
		began := time.Now()
		_, err := All(ctx, a, nil, fleet.PlanOptions{Expect: 2})
		if took := time.Since(began); err == nil || took != 3*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestAnyBoards: whatever is plugged in, each board that is worked on has an address that means its port alone, and not
// another board that takes its place.
func TestAnyBoards(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 31))
		ports := anyPorts(random)
		plan, err := Present(appWith(there(ports...)), []string{"usb:location=1-*", "usb:2fe3:0004", "usb:0403:6001,if=1"})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, b := range plan.Boards {
			if wrong := misled(b, ports); b.Refused == nil && wrong != "" {
				t.Fatalf("seed %d: %s (%s): %s\nports: %+v", seed, b.Name, b.Address, wrong, ports)
			}
		}
	}
}

// misled says what is wrong with the address of a board; empty if nothing is.
func misled(b fleet.Board, ports []transport.Port) string {
	address, err := ParseAddress(b.Address)
	if err != nil {
		return err.Error()
	}
	if p, err := address.Choose(ports); err != nil || p.Name != b.Port {
		return fmt.Sprintf("means %s, %v", p.Name, err)
	}
	if b.Name != b.Serial {
		return ""
	}
	swapped := append([]transport.Port(nil), ports...)
	for i, p := range swapped {
		if p.Name == b.Port || p.Location != "" && p.Location == b.Location {
			swapped[i].Serial = "B0A2D00F"
		}
	}
	if p, err := address.Choose(swapped); err == nil {
		return "means another board in its place: " + p.Name
	}
	return ""
}

// anyPorts are those of boards with one or more interfaces, with or without serial numbers and places, and of bridges.
func anyPorts(random *rand.Rand) (ports []transport.Port) {
	serials := []string{"", "0001", "A1B2C3D4", "a1b2c3d4", "E5F6A7B8", "C9D0E1F2,if=1", "1-1.1"}
	for i := range random.IntN(9) {
		p := transport.Port{USB: true, VID: 0x2fe3, PID: 4, Serial: serials[random.IntN(len(serials))],
			Interface: transport.AnyInterface}
		if random.IntN(3) == 0 {
			p.VID, p.PID = 0x0403, 0x6001
		}
		if random.IntN(4) > 0 {
			p.Location = fmt.Sprintf("1-1.%d", i)
		}
		for number := range 1 + random.IntN(3)*random.IntN(2) {
			p.Name = fmt.Sprintf("ttyX%d", len(ports))
			if random.IntN(4) > 0 {
				p.Interface = number
			}
			ports = append(ports, p)
		}
	}
	return ports
}
