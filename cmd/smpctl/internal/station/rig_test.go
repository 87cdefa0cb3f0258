package station

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/transport"
)

// bench is a rig with two slots, time that a test moves, and what is plugged in.
type bench struct {
	t     *testing.T
	rig   *rig
	now   time.Time
	ports map[string]transport.Port // by location
	turns map[string]int64          // the last of each slot
	begun []string                  // slot and serial number of each order, label too if there is one
}

func newBench(t *testing.T, change func(*rules), p *past) *bench {
	t.Helper()
	match, err := transport.ParseAddress("usb:2fe3:0004")
	if err != nil {
		t.Fatal(err)
	}
	r := rules{match: match, slots: []place{{"A1", "1-1.1"}, {"A2", "1-1.2"}}, start: startPlug, source: "usb",
		repeat: repeatRefuse, jobs: maxSlots}
	if change != nil {
		change(&r)
	}
	if p == nil {
		p = newPast()
	}
	b := &bench{t: t, rig: newRig(r, p), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		ports: map[string]transport.Port{}, turns: map[string]int64{}}
	b.look()
	return b
}

var locations = map[string]string{"A1": "1-1.1", "A2": "1-1.2"}

// boardPort is the port of a board of the station.
func boardPort(serial string) transport.Port {
	return transport.Port{Name: "/dev/tty" + serial, USB: true, VID: 0x2fe3, PID: 4, Serial: serial}
}

func (b *bench) plug(slot string, p transport.Port) {
	p.Location = locations[slot]
	b.ports[p.Location] = p
	b.look()
}

func (b *bench) pull(slot string) {
	delete(b.ports, locations[slot])
	b.look()
}

func (b *bench) look() { b.obey(b.rig.plugged(b.now, slices.Collect(maps.Values(b.ports)))) }

// wait has time pass, with a look at the ports four times a second.
func (b *bench) wait(d time.Duration) {
	for end := b.now.Add(d); b.now.Before(end); {
		b.now = b.now.Add(250 * time.Millisecond)
		b.look()
	}
}

func (b *bench) scan(text string) {
	orders, _ := b.rig.scanned(b.now, text)
	b.obey(orders)
}

func (b *bench) obey(orders []order) {
	for _, o := range orders {
		b.turns[o.slot] = o.turn
		b.begun = append(b.begun, strings.TrimSpace(o.slot+" "+o.port.Serial+" "+o.label))
	}
}

// end ends the work that was begun last in a slot.
func (b *bench) end(slot string, r journal.Result) {
	b.ended(slot, outcome{result: r, touched: true, seconds: 1})
}

func (b *bench) ended(slot string, o outcome) {
	b.t.Helper()
	if o.result == journal.Fail && o.kind == "" {
		o.kind = "no-reply"
	}
	b.obey(b.rig.ended(b.now, b.turns[slot], o))
}

// shows is what the tiles say.
func (b *bench) shows() string {
	var all []string
	for _, t := range b.rig.view(b.now).Tiles {
		all = append(all, fmt.Sprintf("%s %s", t.Slot, t.State))
	}
	return strings.Join(all, ", ")
}

// says is what the messages say.
func (b *bench) says() string {
	var all []string
	for _, m := range b.rig.view(b.now).Messages {
		all = append(all, m.Text)
	}
	return strings.Join(all, "\n")
}

func (b *bench) want(shown string, begun ...string) {
	b.t.Helper()
	if got := b.shows(); got != shown {
		b.t.Errorf("the tiles say %q, want %q", got, shown)
	}
	if !slices.Equal(b.begun, begun) {
		b.t.Errorf("begun: %q, want %q", b.begun, begun)
	}
}

func (b *bench) wantSaid(parts ...string) {
	b.t.Helper()
	got := b.says()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			b.t.Errorf("said is %q, want %q in it", got, p)
		}
	}
}

const second = time.Second

func TestABoardIsFlashedOnceForEachTimeItIsPluggedIn(t *testing.T) {
	b := newBench(t, nil, nil)
	b.want("A1 empty, A2 empty")
	b.plug("A1", boardPort("E66C0001"))
	b.want("A1 ready, A2 empty")
	b.wait(second)
	b.want("A1 working, A2 empty", "A1 E66C0001")
	b.pull("A1") // its reset
	b.wait(5 * second)
	b.want("A1 working, A2 empty", "A1 E66C0001")
	b.plug("A1", boardPort("E66C0001"))
	b.end("A1", journal.Pass)
	b.wait(100 * second)
	b.want("A1 pass, A2 empty", "A1 E66C0001")
	b.pull("A1")
	b.want("A1 pass, A2 empty", "A1 E66C0001")
	b.wait(3 * second)
	b.want("A1 empty, A2 empty", "A1 E66C0001")
	b.plug("A1", boardPort("E66C0002"))
	b.wait(second)
	b.want("A1 working, A2 empty", "A1 E66C0001", "A1 E66C0002")
}

func TestABoardThatBouncesIsNotTouched(t *testing.T) {
	b := newBench(t, nil, nil)
	for range 20 {
		b.plug("A1", boardPort("E66C0001"))
		b.wait(second / 2)
		b.pull("A1")
		b.wait(second / 2)
	}
	b.want("A1 empty, A2 empty")
}

func TestABoardThatResetsByItselfIsNotFlashedAgain(t *testing.T) {
	for _, result := range []journal.Result{journal.Pass, journal.Fail} {
		b := newBench(t, nil, nil)
		b.plug("A1", boardPort("E66C0001"))
		b.wait(second)
		b.end("A1", result)
		for range 50 {
			b.pull("A1")
			b.wait(2 * second)
			b.plug("A1", boardPort("E66C0001"))
			b.wait(10 * second)
		}
		b.want("A1 "+string(result)+", A2 empty", "A1 E66C0001")
	}
}

func TestABoardThatComesBackLateFromItsLastResetIsNotFlashedAgain(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.pull("A1")
	b.wait(60 * second)
	b.end("A1", journal.Fail)
	b.wait(60 * second)
	b.want("A1 fail, A2 empty", "A1 E66C0001")
	bootloader := boardPort("E66C0001")
	bootloader.PID = 0x100
	b.plug("A1", bootloader)
	b.wait(10 * second)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(10 * second)
	b.want("A1 fail, A2 empty", "A1 E66C0001")
	b.pull("A1")
	b.wait(3 * second)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.want("A1 working, A2 empty", "A1 E66C0001", "A1 E66C0001")
}

func TestAnotherBoardInThePlaceOfOneThatNeverCameBackIsFlashed(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.pull("A1")
	b.end("A1", journal.Fail)
	b.plug("A1", boardPort("E66C0002"))
	b.wait(second)
	b.want("A1 working, A2 empty", "A1 E66C0001", "A1 E66C0002")
}

func TestABoardWithoutASerialNumberNeverGetsTheResultOfAnother(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("")) // the first of the day
	b.wait(second)
	b.end("A1", journal.Pass)
	b.pull("A1")
	b.wait(second)
	b.plug("A1", boardPort("")) // this one, or another
	b.wait(10 * second)
	b.want("A1 fail, A2 empty", "A1")
	b.pull("A1")
	b.wait(3 * second)
	b.plug("A1", boardPort(""))
	b.wait(second)
	b.want("A1 working, A2 empty", "A1", "A1")
}

func TestABoardThatWasChangedWhileItIsWorkedOnFails(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.pull("A1")
	b.plug("A1", boardPort("E66C0002"))
	b.wait(20 * second)
	b.end("A1", journal.Fail)
	b.wait(20 * second)
	b.want("A1 fail, A2 empty", "A1 E66C0001")
	b.pull("A1")
	b.wait(3 * second)
	b.plug("A1", boardPort("E66C0002"))
	b.wait(second)
	b.want("A1 working, A2 empty", "A1 E66C0001", "A1 E66C0002")
}

func TestABoardIsNotShownThePassOfTheOneBefore(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.pull("A1")
	b.plug("A1", boardPort("E66C0002"))
	b.end("A1", journal.Pass) // of the first, in its last moment
	b.wait(20 * second)
	b.want("A1 fail, A2 empty", "A1 E66C0001")
	if got := b.rig.view(b.now).Tiles[0].Detail; got != "changed: E66C0001 was taken out (pass); this is another board" {
		t.Errorf("it says %q", got)
	}
}

func TestABoardThatIsPulledOutInTheMomentOfItsPassHasNoHeirs(t *testing.T) {
	for _, serial := range []string{"E66C0001", ""} {
		b := newBench(t, nil, nil)
		b.plug("A1", boardPort(serial))
		b.wait(second)
		b.pull("A1")
		b.end("A1", journal.Pass)
		b.want("A1 pass, A2 empty", strings.TrimSpace("A1 "+serial))
		b.wait(lateTime)
		b.want("A1 empty, A2 empty", strings.TrimSpace("A1 "+serial))
	}
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort(""))
	b.wait(second)
	b.pull("A1")
	b.end("A1", journal.Pass)
	b.wait(second)
	b.plug("A1", boardPort("")) // this one, or another
	b.wait(second)
	b.want("A1 fail, A2 empty", "A1")
}

func TestABoardThatAProgramResetsAtTheEndKeepsItsPass(t *testing.T) {
	b := newBench(t, func(r *rules) { r.repeat = repeatAllow }, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.pull("A1")
	b.end("A1", journal.Pass)
	b.wait(8 * second)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(20 * second)
	b.want("A1 pass, A2 empty", "A1 E66C0001")
}

func TestABoardThatIsPutIntoAnotherSocketStaysWhatItIs(t *testing.T) {
	for _, result := range []journal.Result{journal.Pass, journal.Fail} {
		b := newBench(t, nil, nil)
		b.plug("A1", boardPort("E66C0001"))
		b.wait(second)
		b.pull("A1")
		b.plug("A2", boardPort("E66C0001"))
		b.wait(10 * second)
		b.want("A1 empty, A2 working", "A1 E66C0001")
		b.end("A1", result)
		b.wait(10 * second)
		b.want("A1 empty, A2 "+string(result), "A1 E66C0001")
	}
}

func TestABoardThatIsPutIntoAnotherSocketAfterItFailedThereKeepsItsResult(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.pull("A1") // its reset, from which it does not come back
	b.end("A1", journal.Fail)
	b.plug("A2", boardPort("E66C0001"))
	b.wait(10 * second)
	b.want("A1 empty, A2 fail", "A1 E66C0001")
}

func TestABoardThatFailedIsTriedAgainInAnotherSocket(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.end("A1", journal.Fail)
	b.pull("A1")
	b.plug("A2", boardPort("E66C0001"))
	b.wait(second)
	b.want("A1 fail, A2 working", "A1 E66C0001", "A2 E66C0001")
}

func TestTwoBoardsWithOneSerialNumberAreRefused(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		b := newBench(t, nil, nil)
		b.ports["1-1.1"] = boardPort("E66C0001")
		b.plug("A2", boardPort("E66C0001"))
		b.plug("A1", boardPort("E66C0001"))
		b.wait(10 * second)
		b.want("A1 fail, A2 fail")
	})
	t.Run("one after the other", func(t *testing.T) {
		b := newBench(t, nil, nil)
		b.plug("A1", boardPort("E66C0001"))
		b.wait(second)
		b.plug("A2", boardPort("E66C0001"))
		b.wait(second)
		b.want("A1 working, A2 fail", "A1 E66C0001")
		b.end("A1", journal.Pass)
		b.wait(10 * second)
		b.want("A1 pass, A2 fail", "A1 E66C0001")
	})
}

func TestABoardOfAnotherTypeIsNotTouched(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", transport.Port{Name: "/dev/ttyUSB0", USB: true, VID: 0x1a86, PID: 0x7523, Product: "USB Serial"})
	b.wait(second)
	b.want("A1 ready, A2 empty")
	b.wait(3 * second)
	b.want("A1 fail, A2 empty")
	if got := b.rig.view(b.now).Tiles[0]; got.Detail != "other-board: 1a86:7523 USB Serial" {
		t.Errorf("it says %q", got.Detail)
	}
	b.pull("A1")
	b.wait(3 * second)
	b.want("A1 empty, A2 empty")
}

func TestABoardThatStartsAsItsBootloaderIsFlashed(t *testing.T) {
	b := newBench(t, nil, nil)
	bootloader := boardPort("E66C0001")
	bootloader.PID = 0x100
	b.plug("A1", bootloader)
	b.wait(2 * second)
	b.pull("A1")
	b.wait(second)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.want("A1 working, A2 empty", "A1 E66C0001")
}

func TestABoardThatPassedBefore(t *testing.T) {
	for _, tt := range []struct {
		repeat, want string
		begun        []string
	}{
		{repeatRefuse, "A1 fail, A2 empty", nil},
		{repeatWarn, "A1 working, A2 empty", []string{"A1 E66C0001"}},
		{repeatAllow, "A1 working, A2 empty", []string{"A1 E66C0001"}},
	} {
		t.Run(tt.repeat, func(t *testing.T) {
			p := newPast()
			p.boards["E66C0001"] = deed{board: "E66C0001", at: time.Date(2026, 11, 20, 8, 12, 0, 0, time.UTC)}
			b := newBench(t, func(r *rules) { r.repeat = tt.repeat }, p)
			b.plug("A1", boardPort("E66C0001"))
			b.wait(second)
			b.want(tt.want, tt.begun...)
			if warned := strings.Contains(b.says(), "passed before"); warned != (tt.repeat == repeatWarn) {
				t.Errorf("said is %q", b.says())
			}
		})
	}
}

func TestABoardThatSaysWhoItIsHasPassedBefore(t *testing.T) {
	p := newPast()
	p.add(deed{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), board: "CHIP7", result: journal.Pass})
	b := newBench(t, func(r *rules) { r.source, r.repeat = "shell", repeatWarn }, p)
	b.plug("A1", boardPort(""))
	b.wait(second)
	b.wantSaid()
	for range 2 { // it is said once
		b.rig.progress(b.now, b.turns["A1"], advance{board: "CHIP7", step: "upload"})
	}
	if n := strings.Count(b.says(), "A1: CHIP7 passed before"); n != 1 {
		t.Errorf("said %d times: %s", n, b.says())
	}
}

func TestOnlySoManyBoardsAreWorkedOnAtATime(t *testing.T) {
	b := newBench(t, func(r *rules) { r.jobs = 1 }, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.plug("A2", boardPort("E66C0002"))
	b.wait(10 * second)
	b.want("A1 working, A2 ready", "A1 E66C0001")
	b.end("A1", journal.Pass)
	b.want("A1 pass, A2 working", "A1 E66C0001", "A2 E66C0002")
}

func TestAfterFailuresInARowSomebodyHasToLook(t *testing.T) {
	b := newBench(t, func(r *rules) { r.stopAfter = 2 }, nil)
	fail := func(serial string) {
		b.plug("A1", boardPort(serial))
		b.wait(second)
		b.end("A1", journal.Fail)
		b.pull("A1")
		b.wait(3 * second)
	}
	fail("E66C0001")
	b.want("A1 empty, A2 empty", "A1 E66C0001")
	fail("E66C0002")
	b.want("A1 closed, A2 closed", "A1 E66C0001", "A1 E66C0002")
	b.wantSaid("2 failures in a row")
	b.plug("A1", boardPort("E66C0003"))
	b.wait(60 * second)
	b.want("A1 closed, A2 closed", "A1 E66C0001", "A1 E66C0002")
	b.scan("seen")
	b.want("A1 working, A2 empty", "A1 E66C0001", "A1 E66C0002", "A1 E66C0003")
}

func TestAPassEndsARowOfFailures(t *testing.T) {
	b := newBench(t, func(r *rules) { r.stopAfter = 2 }, nil)
	for i, result := range []journal.Result{journal.Fail, journal.Pass, journal.Fail} {
		b.plug("A1", boardPort(fmt.Sprint("E66C000", i)))
		b.wait(second)
		b.end("A1", result)
		b.pull("A1")
		b.wait(3 * second)
	}
	if b.shows() != "A1 empty, A2 empty" {
		t.Errorf("the tiles say %q", b.shows())
	}
}

func TestAQuotaIsNeverExceeded(t *testing.T) {
	b := newBench(t, func(r *rules) { r.quota = 1 }, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.plug("A2", boardPort("E66C0002"))
	b.wait(second)
	b.want("A1 working, A2 ready", "A1 E66C0001") // the first may fail
	b.end("A1", journal.Fail)
	b.want("A1 fail, A2 working", "A1 E66C0001", "A2 E66C0002")
	b.end("A2", journal.Pass)
	b.pull("A1")
	b.wait(3 * second)
	b.plug("A1", boardPort("E66C0003"))
	b.wait(second)
	b.want("A1 closed, A2 pass", "A1 E66C0001", "A2 E66C0002")
	b.wantSaid("the quota is reached: 1 board passed")
	if left := b.rig.view(b.now).Counters.Left; left == nil || *left != 0 {
		t.Errorf("left of the quota: %v", left)
	}
}

func TestNoPassWithoutARecord(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.ended("A1", outcome{result: journal.Pass, touched: true, unrecorded: "no space left on device"})
	b.want("A1 unknown, A2 closed", "A1 E66C0001")
	b.plug("A2", boardPort("E66C0002"))
	b.wait(10 * second)
	b.want("A1 unknown, A2 closed", "A1 E66C0001")
	b.wantSaid("no record can be written", "no space left on device")
	b.scan("seen") // there is space again
	b.want("A1 unknown, A2 working", "A1 E66C0001", "A2 E66C0002")
}

func TestAButtonStartsTheBoardThatIsThere(t *testing.T) {
	b := newBench(t, func(r *rules) { r.start = startButton }, nil)
	b.obey(b.rig.button(b.now, "A1"))
	b.wantSaid("A1: there is nothing to start")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(60 * second)
	b.want("A1 ready, A2 empty")
	b.obey(b.rig.button(b.now, "A1"))
	b.obey(b.rig.button(b.now, "A1"))
	b.want("A1 working, A2 empty", "A1 E66C0001")
	b.plug("A2", boardPort("E66C0002"))
	b.wait(second)
	b.scan("a2") // a code beside the slot, for whoever wears gloves
	b.want("A1 working, A2 working", "A1 E66C0001", "A2 E66C0002")
}

func TestAtTheEndNothingNewBegins(t *testing.T) {
	b := newBench(t, nil, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.rig.ending = true
	b.plug("A2", boardPort("E66C0002"))
	b.wait(10 * second)
	b.want("A1 working, A2 closed", "A1 E66C0001")
}

func withLabels(r *rules) {
	r.start, r.label = startScan, regexp.MustCompile(`^(?:SN\d{7})$`)
}
