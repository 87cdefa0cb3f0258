package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/spf13/cobra"
)

// fixture is a station in fake time, the boards beside it, and the hands that plug them in.
type fixture struct {
	*testing.T
	rack   *sim.Rack
	boards map[string]*sim.Board // by serial number
	dir    string                // of the station's file
	broken bool                  // the records cannot be written to the end
	said   clitest.LockedBuffer
	typed  *io.PipeWriter // the scanner
}

// box makes a board.
func (f *fixture) box(serial string, o sim.Options) {
	f.Helper()
	o.Baud = 115200
	b, err := f.rack.Add(sim.Facts{Serial: serial}, o)
	if err != nil {
		f.Fatal(err)
	}
	f.boards[serial] = b
}

func (f *fixture) plug(serial, slot string) {
	if err := f.boards[serial].Plug("1-1." + slot[1:]); err != nil {
		f.Error(err)
	}
}

func (f *fixture) unplug(serial string) { f.boards[serial].Unplug() }

func (f *fixture) scan(text string) {
	if _, err := io.WriteString(f.typed, text+"\n"); err != nil {
		f.Error(err)
	}
}

// moveRecords gives the records another name.
func (f *fixture) moveRecords(from, to string) {
	month, err := filepath.Glob(filepath.Join(f.dir, from, "*.jsonl"))
	if f.broken = true; err == nil {
		err = os.MkdirAll(filepath.Join(f.dir, to), 0o700)
	}
	for _, path := range month {
		err = errors.Join(err, os.Rename(path, filepath.Join(f.dir, to, filepath.Base(path))))
	}
	if err != nil || len(month) == 0 {
		f.Errorf("%v %v", month, err)
	}
}

// until waits until the station has said something so many times.
func (f *fixture) until(text string, times ...int) {
	f.Helper()
	n := 1
	if len(times) > 0 {
		n = times[0]
	}
	for range 3000 {
		if strings.Count(f.said.String(), text) >= n {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	f.Errorf("it never says %q %d times:\n%s", text, n, f.said.String())
}

// uploads waits until the upload to a board is under way, and resets until it is reset.
func (f *fixture) uploads(serial string) {
	f.happens(serial, func(s sim.Stats) bool { return s.Requests > 30 })
}
func (f *fixture) resets(serial string) {
	f.happens(serial, func(s sim.Stats) bool { return s.Resets > 0 })
}

func (f *fixture) happens(serial string, is func(sim.Stats) bool) {
	f.Helper()
	for range 30_000 {
		if is(f.boards[serial].Device().Stats()) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.Errorf("it never happens to %s:\n%s", serial, f.said.String())
}

// runs is the version that a board runs.
func (f *fixture) runs(serial string) string {
	v, _, _ := f.boards[serial].Device().Running(0)
	return strings.TrimSuffix(v.String(), "+0")
}

// recordsIn are what the records tell of boards.
func recordsIn(t *testing.T, dir string) (list []string) {
	t.Helper()
	for turn, err := range journal.History(filepath.Join(dir, "records")) {
		if err != nil {
			t.Fatal(err)
		}
		b := turn.Board
		list = append(list, strings.Join(slices.DeleteFunc([]string{b.Slot, b.ID, turn.Fields["label"], string(turn.Result),
			turn.Kind}, func(s string) bool { return s == "" }), " "))
	}
	slices.Sort(list)
	return list
}

// stationFile is the file of a station with four slots and these lines more.
func stationFile(t *testing.T, dir, more string) string {
	t.Helper()
	data, err := filepath.Abs("../../../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("name = \"line\"\n[image]\nfile = %q\n[records]\ndir = \"records\"\nkey = \"key.pem\"\n[slots]\n"+
		"\"1-1.1\" = \"A1\"\n\"1-1.2\" = \"A2\"\n\"1-1.3\" = \"A3\"\n\"1-1.4\" = \"A4\"\n%s\n[boards]\nmatch = \"usb:2fe3:0004\"\n",
		filepath.Join(data, "app-2.0.0.bin"), more)
	path := filepath.Join(dir, "station.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// atStation runs a station while hands do something, and ends it with Ctrl-C.
func atStation(t *testing.T, file string, boards map[string]sim.Options, hands func(*fixture)) *fixture {
	t.Helper()
	f := &fixture{T: t, rack: sim.NewRack(), boards: map[string]*sim.Board{}, dir: filepath.Dir(file)}
	defer f.rack.Close()
	for serial, o := range boards {
		f.box(serial, o)
	}
	scanner, typed := io.Pipe()
	f.typed = typed
	defer typed.Close()
	ctx, stop := context.WithCancelCause(t.Context())
	ended := make(chan int, 1)
	var out strings.Builder
	go func() {
		ended <- app.Main(ctx, func(a *app.App) *cobra.Command {
			a.Bus = bus.OfRack(f.rack)
			return NewRoot(a)
		}, []string{"station", file, "--no-web"}, app.Streams{In: scanner, Out: &out, Err: &f.said},
			func(string) (string, bool) { return "", false })
	}()
	hands(f)
	stop(failure.ErrInterrupted)
	code := <-ended
	if f.broken {
		return f
	}
	if code != 0 {
		t.Errorf("exit code %d:\n%s", code, f.said.String())
	}
	dir := filepath.Join(filepath.Dir(file), "records")
	if v, err := journal.Verify(dir, journal.VerifyOptions{}); err != nil || !v.Whole() || v.Signed == 0 {
		t.Errorf("the records are not whole: %v %+v", err, v)
	}
	return f
}

// TestStation has hands do at a station what hands do.
func TestStation(t *testing.T) {
	good := sim.Options{}
	for _, tt := range []struct {
		name    string
		file    string // lines more
		boards  map[string]sim.Options
		hands   func(*fixture)
		records []string
		runs    map[string]string // 2.0.0 unless told otherwise
	}{
		{
			name: "four boards at once", boards: map[string]sim.Options{"E66C0001": good, "E66C0002": good,
				"E66C0003": good, "E66C0004": good},
			hands: func(f *fixture) {
				for i, serial := range []string{"E66C0001", "E66C0002", "E66C0003", "E66C0004"} {
					f.plug(serial, fmt.Sprint("A", i+1))
				}
				f.until("PASS", 4)
				time.Sleep(time.Minute)
			},
			records: []string{"A1 E66C0001 pass", "A2 E66C0002 pass", "A3 E66C0003 pass", "A4 E66C0004 pass"},
		}, {
			name: "pulled out, and put back", boards: map[string]sim.Options{"E66C0001": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.uploads("E66C0001")
				f.unplug("E66C0001")
				time.Sleep(6 * time.Second)
				f.plug("E66C0001", "A1")
				f.until("PASS")
				time.Sleep(time.Minute)
			},
			records: []string{"A1 E66C0001 pass"},
		}, {
			name: "pulled out, and put into another socket", boards: map[string]sim.Options{"E66C0001": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.uploads("E66C0001")
				f.unplug("E66C0001")
				time.Sleep(6 * time.Second)
				f.plug("E66C0001", "A3")
				f.until("A3        PASS")
				time.Sleep(time.Minute)
			},
			records: []string{"A1 E66C0001 pass"},
		}, {
			name:   "pulled out for good, and another one in its socket",
			boards: map[string]sim.Options{"E66C0001": good, "E66C0002": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.uploads("E66C0001")
				f.unplug("E66C0001")
				f.plug("E66C0002", "A1")
				f.until("FAIL ✗  E66C0002  changed: E66C0001 was taken out (fail); this is another board")
				f.unplug("E66C0002")
				f.until("A1        EMPTY")
				f.plug("E66C0002", "A1")
				f.until("PASS")
			},
			records: []string{"A1 E66C0001 fail no-reply", "A1 E66C0002 pass"}, runs: map[string]string{"E66C0001": "1.0.0"},
		}, {
			name: "it never comes back from its reset", boards: map[string]sim.Options{"E66C0001": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.resets("E66C0001")
				f.unplug("E66C0001")
				f.until("FAIL ✗  E66C0001  no-reply in reset")
				time.Sleep(time.Minute)
				f.plug("E66C0001", "A1") // at last
				time.Sleep(time.Minute)
			},
			// A trial boot ends with the next one.
			records: []string{"A1 E66C0001 fail no-reply"}, runs: map[string]string{"E66C0001": "1.0.0"},
		}, {
			name: "a board that passed is not flashed again", boards: map[string]sim.Options{"E66C0001": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.until("PASS")
				f.unplug("E66C0001")
				f.until("A1        EMPTY")
				f.plug("E66C0001", "A2")
				f.until("A2        FAIL ✗  E66C0001  done: passed before")
			},
			records: []string{"A1 E66C0001 pass"},
		}, {
			name:   "a board of another type is refused before the first byte",
			file:   "[boards.expect]\nboard = \"acme_v3\"",
			boards: map[string]sim.Options{"E66C0001": {Board: "acme_v2"}, "E66C0002": {Board: "acme_v3"}},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.plug("E66C0002", "A2")
				f.until("A1        FAIL ✗  E66C0001  other-board")
				f.until("PASS")
			},
			records: []string{"A1 E66C0001 fail refused", "A2 E66C0002 pass"}, runs: map[string]string{"E66C0001": "1.0.0"},
		}, {
			name:   "labels",
			file:   "[run]\nstart = \"scan\"\nlabel = 'SN\\d{7}'",
			boards: map[string]sim.Options{"E66C0001": good, "E66C0002": good},
			hands: func(f *fixture) {
				f.until("A4        SCAN LABEL")
				f.scan("4006381333931")
				f.until("is not a label of this station")
				f.scan("SN0000001")
				f.plug("E66C0001", "A1")
				f.until("WORKING")
				f.scan("SN0000001")
				f.until("SN0000001 is being worked on in A1")
				f.until("PASS")
				f.plug("E66C0002", "A2")
				f.until("scan the label of this board")
				f.scan("SN0000001")
				f.until("SN0000001 passed before")
				f.scan("SN0000002")
				f.until("PASS", 2)
			},
			records: []string{"A1 E66C0001 SN0000001 pass", "A2 E66C0002 SN0000002 pass"},
		}, {
			name: "two boards with one serial number", boards: map[string]sim.Options{"E66C0001": good, "E66C0002": good},
			hands: func(f *fixture) {
				twin, err := f.rack.Add(sim.Facts{Serial: "E66C0001"}, good)
				if err != nil {
					f.Fatal(err)
				}
				f.plug("E66C0001", "A1")
				if err := twin.Plug("1-1.2"); err != nil {
					f.Fatal(err)
				}
				f.plug("E66C0002", "A3")
				f.until("FAIL ✗  E66C0001  twin", 2)
				f.until("PASS")
			},
			records: []string{"A3 E66C0002 pass"}, runs: map[string]string{"E66C0001": "1.0.0"},
		}, {
			name:   "the records cannot be written any more",
			boards: map[string]sim.Options{"E66C0001": good, "E66C0002": good, "E66C0003": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.until("PASS")
				f.plug("E66C0002", "A2")
				f.uploads("E66C0002")
				f.moveRecords("records", "elsewhere")
				f.until("UNKNOWN  E66C0002  record  tell the one")
				f.until("no record can be written, so no board is touched")
				f.plug("E66C0003", "A3")
				time.Sleep(time.Minute)
				f.moveRecords("elsewhere", "records") // for the verdict
			},
			records: []string{"A1 E66C0001 pass", "A2 E66C0002 unknown"}, runs: map[string]string{"E66C0003": "1.0.0"},
		}, {
			name: "Ctrl-C in the middle", boards: map[string]sim.Options{"E66C0001": good, "E66C0002": good},
			hands: func(f *fixture) {
				f.plug("E66C0001", "A1")
				f.uploads("E66C0001")
				f.plug("E66C0002", "A2")
			},
			records: []string{"A1 E66C0001 fail interrupted"}, runs: map[string]string{"E66C0001": "1.0.0", "E66C0002": "1.0.0"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.HasPrefix(tt.name, "the records cannot") {
				t.Skip("a file that is open keeps its name there")
			}
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				f := atStation(t, stationFile(t, dir, tt.file), tt.boards, tt.hands)
				for serial := range tt.boards {
					want := "2.0.0"
					if v, ok := tt.runs[serial]; ok {
						want = v
					}
					if got := f.runs(serial); got != want {
						t.Errorf("%s runs %s, want %s:\n%s", serial, got, want, f.said.String())
					}
				}
			})
			if diff := cmp.Diff(tt.records, recordsIn(t, dir)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStationDemo shows all that a board can become, and all of it is recorded.
func TestStationDemo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // where a demonstration makes its folder
	t.Setenv("TMP", dir)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		var out strings.Builder
		var said clitest.LockedBuffer
		ended := make(chan int, 1)
		go func() {
			ended <- app.Main(ctx, NewRoot, []string{"station", "--demo", "--no-web"},
				app.Streams{In: strings.NewReader(""), Out: &out, Err: &said}, func(string) (string, bool) { return "", false })
		}()
		time.Sleep(2 * time.Minute)
		stop(failure.ErrInterrupted)
		code := <-ended
		for _, want := range []string{"A1        PASS ✓", "A4        FAIL ✗  E66C38A1B215  not-running", "no-reply in upload",
			"no-reply in reset", "B4        PASS ✓", "A1        EMPTY", "A1        PASS ✓  E66C38A1B238"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("it never says %q", want)
			}
		}
		if code != 0 || t.Failed() {
			t.Errorf("exit code %d:\n%s", code, said.String())
		}
	})
	folders, err := filepath.Glob(filepath.Join(dir, "smpctl-station-*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders %v, %v", folders, err)
	}
	if n := len(recordsIn(t, folders[0])); n < 16 {
		t.Errorf("%d records", n)
	}
}
