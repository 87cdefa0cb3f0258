package trace_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/trace"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

var update = flag.Bool("update", false, "write testdata/conversation.txt")

// TestConversation holds a whole conversation with the virtual device, over two connections and with a loss, and
// compares the file with testdata/conversation.txt.
func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "trace")
		file, err := trace.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := sim.NewDevice(sim.Options{Console: true, Verbose: true, Baud: 115200,
			Faults: sim.Faults{LoseLastAnswer: true}})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var lines bytes.Buffer // as package transport writes them
		connect := func() *smp.Client {
			conn := transport.NewConn(d.Stream(), transport.Options{Trace: both{file, &lines}})
			c := smp.NewClient(&countedLink{Conn: conn}, smp.Options{Window: 1})
			synctest.Wait() // what the bootloader printed is read
			return c
		}
		before(t, connect())
		if err := d.WaitAlive(t.Context()); err != nil {
			t.Fatal(err)
		}
		after(t, connect())
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile("testdata/conversation.txt", got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/conversation.txt")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		checkBytes(t, lines.String(), string(got))
	})
}

// before uploads the beginning of an image, asks for what the device refuses, and resets it.
func before(t *testing.T, c *smp.Client) {
	t.Helper()
	defer c.Close()
	app, err := os.ReadFile("../../../../testdata/app-2.0.0.bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.OS.Echo(t.Context(), "hello\x1b"); err != nil {
		t.Error(err)
	}
	if _, err := c.Image.Upload(t.Context(), app[:900], smp.ImageUpload{}); err == nil {
		t.Error("upload of half an image whose last answer is lost: no error, but nobody can know how it ended")
	}
	var refusal *smp.DeviceError
	if _, err := c.Image.Test(t.Context(), make([]byte, 32)); !errors.As(err, &refusal) {
		t.Errorf("test of an image that is not there: %v", err)
	}
	if err := c.OS.Reset(t.Context(), smp.ResetOptions{}); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second) // the end of the link
}

func after(t *testing.T, c *smp.Client) {
	t.Helper()
	defer c.Close()
	if err := c.AwaitApplication(t.Context(), time.Second); err != nil {
		t.Error(err)
	}
	if _, err := c.Image.List(t.Context()); err != nil {
		t.Error(err)
	}
}

// both writes to two writers, of which the second cannot fail.
type both struct {
	file  *trace.File
	lines *bytes.Buffer
}

func (b both) Write(p []byte) (int, error) {
	b.lines.Write(p)
	return b.file.Write(p)
}

// countedLink makes sequence numbers begin at 1, so that a conversation is always the same.
type countedLink struct {
	*transport.Conn
	shift byte
	known bool
}

// WritePacket is called from one goroutine, before anything answers.
func (l *countedLink) WritePacket(p []byte) error {
	if !l.known {
		l.shift, l.known = p[6]-1, true
	}
	p = bytes.Clone(p)
	p[6] -= l.shift
	return l.Conn.WritePacket(p)
}

func (l *countedLink) ReadPacket() ([]byte, error) {
	p, err := l.Conn.ReadPacket()
	if err == nil {
		p[6] += l.shift
	}
	return p, err
}

// checkBytes wants every byte that package transport traced, in its order, from column 163 of the rows.
func checkBytes(t *testing.T, lines, rows string) {
	t.Helper()
	var want, got []string
	for line := range strings.Lines(lines) {
		if i := strings.LastIndexByte(line, ' '); !strings.HasSuffix(line, "\"\n") && !strings.HasPrefix(line, "#") {
			want = append(want, strings.TrimSpace(line[i:]))
		}
	}
	for row := range strings.Lines(rows) {
		if len(row) > 162 && row[160:162] == "| " && !strings.Contains(row, " text ") {
			digits := strings.TrimSpace(row[162:])
			if _, err := hex.DecodeString(digits); err != nil {
				t.Errorf("%v: %q", err, row)
			}
			got = append(got, digits)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 10 {
		t.Errorf("packets, -want +got:\n%s", diff)
	}
}
