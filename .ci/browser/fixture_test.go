package browser

import (
	"bufio"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/image/key"
	"github.com/smpctl/smpctl/smp/sim"
)

// fixture is a station as a process of its own, and the hands that plug boards into it.
type fixture struct {
	t      *testing.T
	dir    string
	rack   *sim.Rack
	listen string // address of the page
	extra  []string
	run    *exec.Cmd // nil: it does not run
	ended  chan struct{}
}

// stationFile is what every station of a test has; what a test adds follows.
const stationFile = `name = "bench"
[image]
file = "app-2.0.0.bin"
key = "app.pub.pem"
[boards]
match = "usb:2fe3:0004"
%s[slots]
"1-1.1" = "A1"
"1-1.2" = "A2"
"1-1.3" = "A3"
"1-1.4" = "A4"
"1-1.5" = "B1"
"1-1.6" = "B2"
"1-1.7" = "B3"
"1-1.8" = "B4"
[records]
dir = "records"
[page]
listen = %q
[run]
%s`

// newFixture starts a station with these rules, until the test ends.
func newFixture(t *testing.T, run, boards string) *fixture {
	t.Helper()
	if *smpctl == "" {
		t.Skip("without -smpctl")
	}
	f := &fixture{t: t, dir: t.TempDir(), rack: sim.NewRack(), listen: free(t)}
	for _, name := range []string{"app-2.0.0.bin", "app.pub.pem"} {
		content, err := os.ReadFile(filepath.Join("../../testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		f.write(name, content)
	}
	f.write("station.toml", fmt.Appendf(nil, stationFile, boards, f.listen, run))
	f.serveBus()
	f.extra = []string{filepath.Join(f.dir, "station.toml")}
	f.start()
	return f
}

// newDemo starts the demonstration, until the test ends.
func newDemo(t *testing.T) *fixture {
	t.Helper()
	if *smpctl == "" {
		t.Skip("without -smpctl")
	}
	f := &fixture{t: t, dir: t.TempDir(), extra: []string{"--demo"}}
	f.start()
	return f
}

// free is an address that nobody has now.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (f *fixture) write(name string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), content, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// serveBus serves the rack for the station.
func (f *fixture) serveBus() {
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- bus.Serve(ctx, f.rack, f.bus(), func() { close(ready) }) }()
	f.t.Cleanup(func() {
		f.kill()
		stop()
		if err := <-ended; err != nil {
			f.t.Errorf("the bus: %v", err)
		}
		_ = f.rack.Close()
	})
	select {
	case <-ready:
	case <-time.After(patience):
		f.t.Fatal("the bus does not begin")
	}
}

func (f *fixture) bus() string { return filepath.Join(f.dir, "bus") }

// start starts the station, and waits for its page.
func (f *fixture) start() {
	f.t.Helper()
	f.run = exec.Command(*smpctl, append([]string{"station", "--json"}, f.extra...)...)
	f.run.Env = append(os.Environ(), "TMPDIR="+f.dir, "SMPCTL_BUS="+f.bus())
	f.run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	said, err := f.run.StderrPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.run.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(f.kill)
	page := make(chan string, 1)
	f.ended = make(chan struct{})
	go f.hear(said, page)
	select {
	case url := <-page:
		f.listen = strings.Trim(strings.TrimPrefix(url, "http://"), "/")
	case <-f.ended:
		f.t.Fatal("the station ended at once")
	case <-time.After(patience):
		f.t.Fatal("the station does not begin")
	}
}

// hear reads what the station says until it ends.
func (f *fixture) hear(said io.Reader, page chan<- string) {
	defer close(f.ended)
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		var news struct{ Event, URL string }
		if json.Unmarshal(lines.Bytes(), &news) == nil && news.Event == "page" {
			page <- news.URL
		}
	}
}

// kill ends the station as a power cut does.
func (f *fixture) kill() {
	if f.run == nil {
		return
	}
	_ = syscall.Kill(-f.run.Process.Pid, syscall.SIGKILL)
	<-f.ended
	_ = f.run.Wait()
	f.run = nil
}

func (f *fixture) url() string { return "http://" + f.listen }

// sockets are where slots are.
var sockets = map[string]string{"A1": "1-1.1", "A2": "1-1.2", "A3": "1-1.3", "A4": "1-1.4",
	"B1": "1-1.5", "B2": "1-1.6", "B3": "1-1.7", "B4": "1-1.8"}

// board is a new board in a box beside the fixture, which trusts the key that signed the image.
func (f *fixture) board(serial string, o sim.Options) *sim.Board {
	f.t.Helper()
	if o.Key == nil {
		o.Key = f.publicKey()
	}
	b, err := f.rack.Add(sim.Facts{Serial: serial, Product: "Board"}, o)
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func (f *fixture) publicKey() crypto.PublicKey {
	content, err := os.ReadFile(filepath.Join(f.dir, "app.pub.pem"))
	if err != nil {
		f.t.Fatal(err)
	}
	k, err := key.ParsePublic(content)
	if err != nil {
		f.t.Fatal(err)
	}
	return k
}

// plug puts a board into a slot.
func (f *fixture) plug(b *sim.Board, slot string) {
	f.t.Helper()
	if err := b.Plug(sockets[slot]); err != nil {
		f.t.Fatal(err)
	}
}

// records are what the journal says of each turn of a board, in order.
func (f *fixture) records(serial string) []journal.Turn {
	f.t.Helper()
	var list []journal.Turn
	for r, err := range journal.History(filepath.Join(f.dir, "records")) {
		if err != nil {
			f.t.Fatal(err)
		}
		if r.Board.Serial == serial {
			list = append(list, r)
		}
	}
	return list
}

// whole holds that nothing is missing in the journal.
func (f *fixture) whole() {
	f.t.Helper()
	v, err := journal.Verify(filepath.Join(f.dir, "records"), journal.VerifyOptions{})
	if err != nil || !v.Whole() {
		f.t.Errorf("the journal is not whole: %+v, %v", v.Findings, err)
	}
}
