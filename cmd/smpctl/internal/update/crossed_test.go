package update_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/update"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/spf13/cobra"
)

var (
	boardsSeeds = flag.Int("boards.seeds", 60, "combinations of many boards to cross")
	boardsFrom  = flag.Int("boards.from", 0, "the first seed of them")
)

// TestManyBoardsCrossed works with many boards over the product of their faults, programs of the user, options and
// moments of Ctrl-C, and holds every word against what each board holds and runs, and against the records. A failure
// names the seed; -boards.from SEED -boards.seeds 1 runs that one alone.
func TestManyBoardsCrossed(t *testing.T) {
	var mu sync.Mutex
	codes := map[int]int{}
	t.Run("seeds", func(t *testing.T) {
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for seed := *boardsFrom + w; seed < *boardsFrom+*boardsSeeds; seed += workers {
					c := drawLine(seed)
					dir := t.TempDir()
					var code int
					var wrong []string
					synctest.Test(t, func(t *testing.T) { code, wrong = c.cross(t, dir) })
					for _, text := range wrong {
						t.Errorf("-boards.from %d -boards.seeds 1: %s\n\t%+v", seed, text, c)
					}
					mu.Lock()
					codes[code]++
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("exit codes: %v", codes)
	for _, code := range []int{0, 3, 8, 130} {
		if *boardsSeeds >= 60 && codes[code] == 0 {
			t.Errorf("no combination ended with %d", code)
		}
	}
}

// line is a production line: its boards, and what is asked of them.
type line struct {
	boards  []boardKind
	command string // upgrade, reset or image list
	jobs    int
	retry   int
	expect  int // 0: not asked for
	record  bool
	json    bool
	id      string        // empty: usb
	stop    time.Duration // Ctrl-C; 0: never
	hooks   bool
}

// boardKind is what is the matter with a board.
type boardKind struct {
	fault  string
	before string // what the program before it does: pass, fail or measure
	after  string
}

// What may be the matter with a board, the good ones most often.
var lineFaults = []string{"", "", "", "", "dead", "away", "lossy", "picky", "mute", "twin", "pulled", "held"}

func drawLine(seed int) line {
	r := rand.New(rand.NewPCG(uint64(seed), 1313))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	l := line{command: pick("upgrade", "upgrade", "upgrade", "reset", "image list"), jobs: r.IntN(4), retry: r.IntN(3),
		record: r.IntN(2) == 0, json: r.IntN(3) > 0, hooks: runtime.GOOS != "windows" && r.IntN(3) == 0}
	for range []int{1, 2, 5}[r.IntN(3)] {
		b := boardKind{fault: lineFaults[r.IntN(len(lineFaults))]}
		if l.hooks {
			b.before, b.after = pick("pass", "pass", "fail", "measure"), pick("pass", "pass", "pass", "fail", "measure")
		}
		l.boards = append(l.boards, b)
	}
	if r.IntN(4) == 0 {
		l.expect = len(l.boards) + r.IntN(2)
	}
	if r.IntN(6) == 0 {
		l.id = "settings:demo/name" // which all boards have alike
	}
	if r.IntN(4) == 0 {
		l.stop = time.Duration(1+r.IntN(6000)) * time.Millisecond
	}
	return l
}

// twins reports whether two boards have one serial number.
func (l line) twins() bool {
	n := 0
	for _, b := range l.boards {
		if b.fault == "twin" {
			n++
		}
	}
	return n > 1
}

// wire is slow enough for moments to fall into uploads.
const wire = 400_000 // bits per second

// options are those of the device on a board.
func (b boardKind) options(t *testing.T, r *rand.Rand) sim.Options {
	o := sim.Options{Baud: wire, ResetDelay: 30 * time.Millisecond, BootTime: 50 * time.Millisecond,
		SwapTime: 50 * time.Millisecond}
	switch b.fault {
	case "dead":
		o.Faults.VanishAfter = 1500 + r.IntN(20000)
	case "away":
		o.Faults.VanishAfter, o.Faults.VanishFor = 1500+r.IntN(20000), time.Duration(r.IntN(4000))*time.Millisecond
	case "lossy":
		o.Faults.Seed, o.Faults.DropReply, o.Faults.DropRequest = r.Uint64(), 0.02, 0.02
	case "picky":
		var err error
		if o.Key, err = trust.ReadPublicKey(testFile("app.pub.pem")); err != nil {
			t.Fatal(err)
		}
	case "mute":
		o.Faults.DropReply = 1
	}
	return o
}

func testFile(name string) string { return filepath.Join("..", "..", "..", "..", "testdata", name) }

// experiment is a line at work.
type experiment struct {
	line
	t      *testing.T
	dir    string
	rack   *sim.Rack
	boards []*sim.Board
	before []string // what the flash of each held
	boots  []int    // how often each had booted
	names  []string // of the boards in the output
	code   int
	out    string
	err    string
}

// cross runs a command, and says with which code it ended, and what was wrong.
func (l line) cross(t *testing.T, dir string) (code int, wrong []string) {
	x := &experiment{line: l, t: t, dir: dir}
	defer x.build()()
	x.disturb()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if l.stop > 0 {
		defer time.AfterFunc(l.stop, func() { cancel(failure.ErrInterrupted) }).Stop()
	}
	x.run(ctx, x.args())
	time.Sleep(time.Minute) // whatever was under way is over
	code, wrong = x.code, x.judge()
	if len(wrong) == 0 && x.isSound() && l.stop > 0 {
		wrong = x.again()
	}
	return code, wrong
}

// again takes up what Ctrl-C stopped, with nothing in the way.
func (x *experiment) again() (wrong []string) {
	x.line = line{boards: make([]boardKind, len(x.boards)), command: x.command, record: x.record, json: x.json}
	x.dir = filepath.Join(x.dir, "again")
	if err := os.Mkdir(x.dir, 0o700); err != nil {
		x.t.Fatal(err)
	}
	x.run(x.t.Context(), x.args())
	if x.code != 0 {
		wrong = append(wrong, fmt.Sprintf("after Ctrl-C the same command ends with %d: %s", x.code, x.err))
	}
	time.Sleep(time.Minute)
	return append(wrong, x.judge()...)
}

// build plugs all boards in. The result closes the rack.
func (x *experiment) build() (done func()) {
	x.rack = sim.NewRack()
	r := rand.New(rand.NewPCG(uint64(len(x.line.boards)), uint64(x.stop)))
	for i, b := range x.line.boards {
		serial := "E66C000" + strconv.Itoa(i+1)
		name := serial
		if b.fault == "twin" {
			serial = "E66C9999"
			if name = serial; x.twins() {
				name = location(i)
			}
		}
		board, err := x.rack.Add(sim.Facts{VID: 0x2fe3, PID: 4, Serial: serial}, b.options(x.t, r),
			sim.Facts{VID: 0x2fe3, PID: 0x100, Serial: serial})
		if err == nil {
			err = board.Plug(location(i))
		}
		if err != nil {
			x.t.Fatal(err)
		}
		x.boards, x.names = append(x.boards, board), append(x.names, name)
	}
	time.Sleep(time.Second)
	for _, b := range x.boards {
		x.before = append(x.before, held(b))
		x.boots = append(x.boots, b.Device().Boots())
	}
	return func() {
		if err := x.rack.Close(); err != nil {
			x.t.Error(err)
		}
	}
}

func location(i int) string { return "1-1." + strconv.Itoa(i+1) }

// held is what the slots of a board hold.
func held(b *sim.Board) string {
	d := b.Device()
	return string(d.SlotBytes(0, 0)) + string(d.SlotBytes(0, 1))
}

// disturb has done to the boards what is done to them from outside.
func (x *experiment) disturb() {
	for i, b := range x.line.boards {
		switch b.fault {
		case "pulled":
			board := x.boards[i]
			timer := time.AfterFunc(time.Duration(300+400*i)*time.Millisecond, func() {
				board.Unplug()
				time.AfterFunc(time.Second, func() { _ = board.Plug(location(i)) })
			})
			x.t.Cleanup(func() { timer.Stop() })
		case "held":
			for _, p := range x.rack.Ports() {
				if p.Location == location(i) {
					if _, err := x.rack.Open(p); err != nil {
						x.t.Fatal(err)
					}
				}
			}
		}
	}
}

// args are the command line.
func (x *experiment) args() []string {
	args := append(strings.Fields(x.command), "-p", "usb:2fe3:0004", "--all", "--retry", fmt.Sprint(x.retry))
	switch x.command {
	case "upgrade":
		args = append(args, testFile("app-2.0.0-otherkey.bin"), "--wait", "3")
	case "reset":
		args = append(args, "--wait=3")
	default:
		args = append(args, "--wait", "3")
	}
	if x.jobs > 0 {
		args = append(args, "--jobs", fmt.Sprint(x.jobs))
	}
	if x.expect > 0 {
		args = append(args, "--expect", fmt.Sprint(x.expect))
	}
	if x.id != "" {
		args = append(args, "--id", x.id)
	}
	if x.record {
		args = append(args, "--record", filepath.Join(x.dir, "records"), "--field", "order=4711")
	}
	if x.json {
		args = append(args, "--json")
	}
	if x.hooks {
		args = append(args, "--before", x.program(func(b boardKind) string { return b.before }),
			"--after", x.program(func(b boardKind) string { return b.after }))
	}
	return args
}

// program is a command line that does for each board what is wanted there.
func (x *experiment) program(of func(boardKind) string) string {
	const measure = `echo '{"measure":{"name":"vbat","value":%s,"min":3,"max":4}}'`
	text := "case $SMPCTL_BOARD_ID in "
	for i, b := range x.line.boards {
		do := fmt.Sprintf(measure, "3.3")
		switch of(b) {
		case "fail":
			do = "exit 3"
		case "measure":
			do = fmt.Sprintf(measure, "5")
		}
		text += fmt.Sprintf("E66C000%d) %s;; ", i+1, do)
	}
	return text + "esac"
}

// run runs a command line on the rack.
func (x *experiment) run(ctx context.Context, args []string) {
	var out, errs bytes.Buffer
	env := func(name string) (string, bool) {
		if strings.HasPrefix(name, "XDG_") || name == "HOME" {
			return x.dir, true
		}
		return "", false
	}
	tree := func(a *app.App) *cobra.Command {
		a.Bus = bus.OfRack(x.rack)
		return clitest.TreeOf(update.Commands)(a)
	}
	x.code = app.Main(ctx, tree, args, app.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, env)
	x.out, x.err = out.String(), errs.String()
}

// document is the result with --json.
type document struct {
	Boards []struct {
		Board    string
		Attempts int
		Error    *struct{ Kind, Message string }
	}
	Passed, Failed int
}

func (x *experiment) document() (d document, err error) {
	err = json.Unmarshal([]byte(x.out), &d)
	return d, err
}

// exists reports whether there is something in the folder of the experiment.
func (x *experiment) exists(name string) bool {
	_, err := os.Stat(filepath.Join(x.dir, name))
	return err == nil
}
