package smp

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the values that the code gives into testdata/wire")

// exchange is one recorded request, the answer of a real server, and what our method makes of it.
type exchange struct {
	name    string
	request []byte
	reply   []byte
	value   string // JSON, or the text of an error
}

// TestRecordedServers has our methods ask what was asked when the files were recorded, gives them the recorded answers,
// and compares what they sent with the recorded requests, and what they return with the values in the files.
func TestRecordedServers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "wire", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			title, exchanges := readExchanges(t, file)
			for i := range exchanges {
				x := &exchanges[i]
				t.Run(x.name, func(t *testing.T) {
					got := x.play(t)
					if *update {
						x.value = got
					}
					if diff := cmp.Diff(x.value, got); diff != "" {
						t.Errorf("value (-want +got):\n%s", diff)
					}
				})
			}
			if *update {
				writeExchanges(t, file, title, exchanges)
			}
		})
	}
}

// play runs the method for the exchange and returns what it gives, as text.
func (x *exchange) play(t *testing.T) string {
	t.Helper()
	h, body, err := ParseHeader(x.request)
	if err != nil {
		t.Fatal(err)
	}
	var q query
	if err := cbor.Unmarshal(body, &q); err != nil {
		t.Fatal(err)
	}
	l := &recorded{exchange: x, replies: make(chan []byte, 4), closed: make(chan struct{})}
	c := NewClient(l, Options{Version: h.Version, Buffer: 4096})
	defer c.Close()
	if _, err := c.Negotiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	value, err := ask(t.Context(), c, h, q)
	if l.sent == nil {
		t.Fatalf("nothing sent: %v", err)
	}
	checkRequest(t, x.request, l.sent)
	if err != nil {
		return err.Error()
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkRequest fails the test unless got is the recorded packet, but for the sequence and the order of keys.
func checkRequest(t *testing.T, want, got []byte) {
	t.Helper()
	wantHeader, wantBody, _ := ParseHeader(want)
	gotHeader, gotBody, _ := ParseHeader(got)
	gotHeader.Sequence = wantHeader.Sequence
	if diff := cmp.Diff(wantHeader, gotHeader); diff != "" {
		t.Errorf("header sent (-want +got):\n%s", diff)
	}
	if bytes.Equal(wantBody, gotBody) {
		return
	}
	var wantMap, gotMap map[string]any
	if err := errors.Join(cbor.Unmarshal(wantBody, &wantMap), cbor.Unmarshal(gotBody, &gotMap)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantMap, gotMap); diff != "" || len(wantBody) != len(gotBody) {
		t.Errorf("sent %d bytes, recorded are %d (-want +got):\n%s", len(gotBody), len(wantBody), diff)
	}
}

// query holds the keys of all requests.
type query struct {
	Text     string   `cbor:"d"`
	Datetime string   `cbor:"datetime"`
	Format   string   `cbor:"format"`
	Force    bool     `cbor:"force"`
	BootMode BootMode `cbor:"boot_mode"`
	Hash     []byte   `cbor:"hash"`
	Confirm  bool     `cbor:"confirm"`
	Slot     *int     `cbor:"slot"`

	Off     int    `cbor:"off"`
	Data    []byte `cbor:"data"`
	Len     *uint  `cbor:"len"`
	SHA     []byte `cbor:"sha"`
	Image   *uint  `cbor:"image"`
	Upgrade bool   `cbor:"upgrade"`

	Name   string   `cbor:"name"`
	Value  []byte   `cbor:"val"`
	Args   []string `cbor:"argv"`
	Index  uint32   `cbor:"index"`
	Groups []Group  `cbor:"groups"`
	Kind   string   `cbor:"t"`
	Test   string   `cbor:"testname"`
	Type   string   `cbor:"type"`
}

// ask calls the method that sends such a request.
func ask(ctx context.Context, c *Client, h Header, q query) (any, error) {
	switch [3]int{int(h.Op), int(h.Group), int(h.Command)} {
	case [3]int{2, 0, 0}:
		return c.OS.Echo(ctx, q.Text)
	case [3]int{0, 0, 2}:
		return c.OS.TaskStats(ctx)
	case [3]int{0, 0, 3}:
		return c.OS.MemoryPools(ctx)
	case [3]int{0, 0, 4}:
		return c.OS.Datetime(ctx)
	case [3]int{2, 0, 4}:
		t, err := time.Parse(datetimeLayout, q.Datetime)
		return nil, errors.Join(err, c.OS.SetDatetime(ctx, t))
	case [3]int{2, 0, 5}:
		return nil, c.OS.Reset(ctx, ResetOptions{Force: q.Force, BootMode: q.BootMode})
	case [3]int{0, 0, 6}:
		return c.OS.Params(ctx)
	case [3]int{0, 0, 7}:
		return c.OS.Info(ctx, q.Format)
	case [3]int{0, 0, 8}:
		return c.OS.Bootloader(ctx)
	case [3]int{0, 1, 0}:
		return c.Image.List(ctx)
	case [3]int{2, 1, 0}:
		if q.Confirm {
			return c.Image.Confirm(ctx, q.Hash)
		}
		return c.Image.Test(ctx, q.Hash)
	case [3]int{2, 1, 1}:
		return askUpload(ctx, c, q)
	case [3]int{2, 1, 5}:
		if q.Slot == nil {
			return nil, c.Image.Erase(ctx, SlotDefault)
		}
		return nil, c.Image.Erase(ctx, *q.Slot)
	case [3]int{0, 1, 6}:
		return c.Image.Slots(ctx)
	}
	return askMore(ctx, c, h, q)
}

// askMore is ask for the groups beside OS and image.
func askMore(ctx context.Context, c *Client, h Header, q query) (any, error) {
	switch [3]int{int(h.Op), int(h.Group), int(h.Command)} {
	case [3]int{0, 2, 0}:
		return c.Stat.Read(ctx, q.Name)
	case [3]int{0, 2, 1}:
		return c.Stat.List(ctx)
	case [3]int{0, 3, 0}:
		return c.Settings.Get(ctx, q.Name)
	case [3]int{2, 3, 0}:
		return nil, c.Settings.Set(ctx, q.Name, q.Value)
	case [3]int{2, 3, 1}:
		return nil, c.Settings.Delete(ctx, q.Name)
	case [3]int{2, 3, 2}:
		return nil, c.Settings.Commit(ctx)
	case [3]int{0, 3, 3}:
		return nil, c.Settings.Load(ctx)
	case [3]int{2, 3, 3}:
		return nil, c.Settings.Save(ctx)
	case [3]int{0, 4, 0}:
		return c.Log.Show(ctx, LogQuery{})
	case [3]int{2, 4, 1}:
		return nil, c.Log.Clear(ctx)
	case [3]int{0, 4, 3}:
		return c.Log.Modules(ctx)
	case [3]int{0, 4, 4}:
		return c.Log.Levels(ctx)
	case [3]int{0, 4, 5}:
		return c.Log.List(ctx)
	case [3]int{2, 5, 0}:
		return c.Crash.Trigger(ctx, q.Kind)
	case [3]int{2, 7, 0}:
		return nil, c.Run.Test(ctx, q.Test, "")
	case [3]int{0, 7, 1}:
		return c.Run.List(ctx)
	case [3]int{2, 9, 0}:
		return c.Shell.Exec(ctx, q.Args...)
	case [3]int{0, 10, 0}:
		return c.Enum.Count(ctx)
	case [3]int{0, 10, 1}:
		return c.Enum.List(ctx)
	case [3]int{0, 10, 2}:
		group, last, err := c.Enum.At(ctx, q.Index)
		return map[string]any{"group": group, "last": last}, err
	case [3]int{0, 10, 3}:
		return c.Enum.Details(ctx, q.Groups...)
	case [3]int{2, 63, 0}:
		return nil, c.Zephyr.EraseStorage(ctx)
	}
	if h.Group == GroupFS {
		return askFiles(ctx, c, h, q)
	}
	return nil, fmt.Errorf("no method sends %+v", h)
}

// askUpload sends one chunk, which users cannot.
func askUpload(ctx context.Context, c *Client, q query) (any, error) {
	r := uploadRequest{Image: q.Image, Length: q.Len, Offset: uint(q.Off), SHA: q.SHA, Upgrade: q.Upgrade, Data: q.Data}
	packet, err := imageUpload.packet(c, r)
	if err != nil {
		return nil, err
	}
	body, err := c.exchange(ctx, packet, c.timing())
	if err != nil {
		return nil, err
	}
	var e imagePayload
	if err := e.read(body); err != nil {
		return nil, err
	}
	return map[string]int64{"off": e.reply.Offset}, nil
}

// askFiles is ask for the file system group. Pieces of files, which users cannot ask for, go by the parts that read and
// write them.
func askFiles(ctx context.Context, c *Client, h Header, q query) (any, error) {
	switch [2]int{int(h.Op), int(h.Command)} {
	case [2]int{0, 0}:
		return fsDownload.do(ctx, c, fileReadRequest{Name: q.Name, Offset: uint64(q.Off)})
	case [2]int{2, 0}:
		packet, err := fsUpload.packet(c, uploadRequest{Name: q.Name, Length: q.Len, Offset: uint(q.Off), Data: q.Data})
		if err != nil {
			return nil, err
		}
		body, err := c.exchange(ctx, packet, c.timing())
		if err != nil {
			return nil, err
		}
		end := q.Off + len(q.Data)
		p := filePayload{data: make([]byte, 1<<20), ends: []int{end}}
		off, err := p.answer(chunk{off: q.Off, end: end}, body, position{wanted: q.Off})
		return map[string]int{"off": off}, err
	case [2]int{0, 1}:
		return c.FS.Size(ctx, q.Name)
	case [2]int{0, 2}:
		o := FileHash{Type: q.Type, Offset: int64(q.Off)}
		if q.Len != nil {
			o.Length = int64(*q.Len)
		}
		return c.FS.Hash(ctx, q.Name, o)
	case [2]int{0, 3}:
		return c.FS.HashTypes(ctx)
	case [2]int{2, 4}:
		return nil, c.FS.Close(ctx)
	}
	return nil, fmt.Errorf("no method sends %+v", h)
}

// recorded is a link that answers the request with the recorded reply, and the negotiation before it.
type recorded struct {
	exchange *exchange
	settled  bool
	sent     []byte
	replies  chan []byte
	closed   chan struct{}
}

func (l *recorded) WritePacket(p []byte) error {
	reply := bytes.Clone(l.exchange.reply)
	if !l.settled {
		l.settled = true
		reply = append([]byte{p[0] + 1, 0, 0, 1, 0, 0, 0, 6}, emptyMap)
	} else {
		l.sent = bytes.Clone(p)
	}
	reply[6] = p[6]
	l.replies <- reply
	return nil
}

func (l *recorded) ReadPacket() ([]byte, error) {
	select {
	case p := <-l.replies:
		return p, nil
	case <-l.closed:
		return nil, errors.New("end of the recording")
	}
}

func (l *recorded) Overhead() int { return 0 }
func (l *recorded) Close() error  { close(l.closed); return nil }

// readExchanges reads a file of recordings: a title, then for each exchange its name (#), the request (>), the reply
// (<) and the value (=).
func readExchanges(t *testing.T, file string) (title string, all []exchange) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(b), "\n") {
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case n == 0:
			title = line
		case mark == "#":
			all = append(all, exchange{name: rest})
		case len(line) == 0:
		default:
			if err := all[len(all)-1].set(mark, rest); err != nil {
				t.Fatalf("%s:%d: %v", file, n+1, err)
			}
		}
	}
	return title, all
}

func (x *exchange) set(mark, rest string) (err error) {
	switch mark {
	case ">":
		x.request, err = hex.DecodeString(rest)
	case "<":
		x.reply, err = hex.DecodeString(rest)
	case "=":
		x.value = rest
	default:
		err = fmt.Errorf("unknown mark %q", mark)
	}
	return err
}

func writeExchanges(t *testing.T, file, title string, all []exchange) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, title)
	for _, x := range all {
		fmt.Fprintf(&b, "\n# %s\n> %x\n< %x\n= %s\n", x.name, x.request, x.reply, x.value)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
