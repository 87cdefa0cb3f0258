package smp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// asks holds every command, as a user calls it.
var asks = []struct {
	name string
	ask  func(context.Context, *smp.Client) (any, error)
}{
	{"echo", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.Echo(ctx, "x") }},
	{"task statistics", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.TaskStats(ctx) }},
	{"memory pool statistics", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.MemoryPools(ctx) }},
	{"date and time", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.Datetime(ctx) }},
	{"set date and time",
		func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.OS.SetDatetime(ctx, time.Time{}) }},
	{"reset",
		func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.OS.Reset(ctx, smp.ResetOptions{}) }},
	{"parameters", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.Params(ctx) }},
	{"os info", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.Info(ctx, "a") }},
	{"bootloader info", func(ctx context.Context, c *smp.Client) (any, error) { return c.OS.Bootloader(ctx) }},
	{"image list", func(ctx context.Context, c *smp.Client) (any, error) { return c.Image.List(ctx) }},
	{"image state",
		func(ctx context.Context, c *smp.Client) (any, error) { return c.Image.Test(ctx, make(smp.Hash, 32)) }},
	{"image upload", func(ctx context.Context, c *smp.Client) (any, error) {
		return c.Image.Upload(ctx, make([]byte, 100), smp.ImageUpload{})
	}},
	{"image erase", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Image.Erase(ctx, 1) }},
	{"slot info", func(ctx context.Context, c *smp.Client) (any, error) { return c.Image.Slots(ctx) }},
	{"statistics", func(ctx context.Context, c *smp.Client) (any, error) { return c.Stat.Read(ctx, "x") }},
	{"statistics list", func(ctx context.Context, c *smp.Client) (any, error) { return c.Stat.List(ctx) }},
	{"settings get", func(ctx context.Context, c *smp.Client) (any, error) { return c.Settings.Get(ctx, "x") }},
	{"settings set",
		func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Settings.Set(ctx, "x", nil) }},
	{"settings delete",
		func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Settings.Delete(ctx, "x") }},
	{"settings commit", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Settings.Commit(ctx) }},
	{"settings load", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Settings.Load(ctx) }},
	{"settings save", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Settings.Save(ctx) }},
	{"log show", func(ctx context.Context, c *smp.Client) (any, error) { return c.Log.Show(ctx, smp.LogQuery{}) }},
	{"log clear", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Log.Clear(ctx) }},
	{"log modules", func(ctx context.Context, c *smp.Client) (any, error) { return c.Log.Modules(ctx) }},
	{"log levels", func(ctx context.Context, c *smp.Client) (any, error) { return c.Log.Levels(ctx) }},
	{"log list", func(ctx context.Context, c *smp.Client) (any, error) { return c.Log.List(ctx) }},
	{"crash", func(ctx context.Context, c *smp.Client) (any, error) { return c.Crash.Trigger(ctx, "div0") }},
	{"run test", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Run.Test(ctx, "all", "") }},
	{"run list", func(ctx context.Context, c *smp.Client) (any, error) { return c.Run.List(ctx) }},
	{"shell exec", func(ctx context.Context, c *smp.Client) (any, error) { return c.Shell.Exec(ctx, "help") }},
	{"group count", func(ctx context.Context, c *smp.Client) (any, error) { return c.Enum.Count(ctx) }},
	{"group list", func(ctx context.Context, c *smp.Client) (any, error) { return c.Enum.List(ctx) }},
	{"group at index",
		func(ctx context.Context, c *smp.Client) (any, error) { _, _, err := c.Enum.At(ctx, 1); return nil, err }},
	{"group details", func(ctx context.Context, c *smp.Client) (any, error) { return c.Enum.Details(ctx) }},
	{"erase storage", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.Zephyr.EraseStorage(ctx) }},
	{"own", func(ctx context.Context, c *smp.Client) (any, error) {
		return smp.Command[struct{}, map[string]any]{Name: "own", Group: 70, ID: 1}.Do(ctx, c, struct{}{})
	}},
	{"fs size", func(ctx context.Context, c *smp.Client) (any, error) { return c.FS.Size(ctx, "/a") }},
	{"fs hash", func(ctx context.Context, c *smp.Client) (any, error) { return c.FS.Hash(ctx, "/a", smp.FileHash{}) }},
	{"fs hash types", func(ctx context.Context, c *smp.Client) (any, error) { return c.FS.HashTypes(ctx) }},
	{"fs close", func(ctx context.Context, c *smp.Client) (any, error) { return nil, c.FS.Close(ctx) }},
}

// askAll gives the payload to every command as its answer, and calls check with what comes of it.
func askAll(t *testing.T, body []byte, check func(name string, v any, err error)) {
	t.Helper()
	for _, a := range asks {
		c, _ := connect(t, answeringOnce(body), smp.Options{})
		v, err := a.ask(t.Context(), c)
		check(a.name, v, err)
		c.Close()
	}
}

// answeringOnce is a device that answers the first parameter request as it should and everything later with body.
func answeringOnce(body []byte) device {
	n := 0
	return func(l *link, p []byte) {
		if n++; n == 1 {
			l.reply(response(p, goodParams))
			return
		}
		l.reply(response(p, body))
	}
}

// Deeper than any reply is nonsense, well below what the decoder could take.
func TestNesting(t *testing.T) {
	for levels, wants := range map[int]string{7: "x", 8: ""} {
		body := "\xbf\x61r\x61x\x61y" + strings.Repeat("\x81", levels) + "\x00\xff"
		synctest.Test(t, func(t *testing.T) {
			c, _ := settled(t, func(l *link, p []byte) { l.reply(response(p, []byte(body))) }, smp.Options{})
			if got, err := c.OS.Echo(t.Context(), "x"); got != wants || (err == nil) != (wants != "") {
				t.Errorf("a list of %d levels beside the answer: %q, %v", levels, got, err)
			}
		})
	}
}

// Nobody takes these for an answer.
func TestUnusableReplies(t *testing.T) {
	deep := bytes.Repeat([]byte{0xbf, 0x61, 'x'}, 1000)
	tests := []struct {
		name string
		body []byte
		text string // end of the error
	}{
		{"empty", nil, "reply without payload"},
		{"null", []byte{0xf6}, "payload is no CBOR map (first byte 0xf6)"},
		{"list", []byte{0x9f, 0xff}, "payload is no CBOR map (first byte 0x9f)"},
		{"number", []byte{0x00}, "payload is no CBOR map (first byte 0x00)"},
		{"byte string", []byte{0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
			"payload is no CBOR map (first byte 0x5b)"},
		{"cut off", []byte{0xbf, 0x62, 'r', 'c'}, ""},
		{"map of 2⁶³ entries", []byte{0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ""},
		{"text of 2⁶² bytes", []byte{0xbf, 0x61, 'x', 0x7b, 0x40, 0, 0, 0, 0, 0, 0, 0, 'y', 0xff}, ""},
		{"list of 2³² elements", []byte{0xbf, 0x61, 'x', 0x9a, 0xff, 0xff, 0xff, 0xff, 0xff}, ""},
		{"a thousand levels", append(deep, bytes.Repeat([]byte{0xff}, 1000)...), ""},
		{"code as text", encode(reply{"rc": "0"}), ""},
		{"code as fraction", encode(reply{"rc": 0.5}), ""},
		{"code beyond 64 bits", []byte("\xbf\x62rc\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00\xff"), ""},
		{"code twice", []byte("\xbf\x62rc\x00\x62rc\x05\xff"), ""},
		{"group error as number", encode(reply{"err": 3}), ""},
		{"group error without end", []byte("\xbf\x63err\xbf\x62rc\x01"), ""},
		{"group beyond 16 bits", encode(reply{"err": reply{"group": 65536, "rc": 1}}), ""},
		{"bytes behind the map", []byte{0xbf, 0xff, 0x00}, ""},
		{"tagged", []byte("\xd9\xd9\xf7\xa0"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				askAll(t, tt.body, func(name string, v any, err error) {
					var nonsense *smp.ProtocolError
					if !errors.As(err, &nonsense) {
						t.Errorf("%s: %v, %v, want an unusable answer", name, v, err)
						return
					}
					if nonsense.Command != name || !strings.HasPrefix(err.Error(), name+": unusable answer: ") ||
						!strings.HasSuffix(err.Error(), tt.text) {
						t.Errorf("%s: %v, want %s", name, err, tt.text)
					}
				})
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name string
		body []byte
		want smp.DeviceError
		text string
	}{
		{"global", encode(reply{"rc": 2}), smp.DeviceError{Code: 2, Global: true},
			"device refused: out of memory or buffers (rc 2 ENOMEM)"},
		{"with a reason", encode(reply{"rc": 3, "rsn": "no \x1b[31mroom\n\u202e"}),
			smp.DeviceError{Code: 3, Global: true, Reason: "no \x1b[31mroom\n\u202e"},
			`device refused: bad or missing argument (rc 3 EINVAL): no \x1b[31mroom\n\u202e`},
		{"code of an application", encode(reply{"rc": 256}), smp.DeviceError{Code: 256, Global: true},
			"device refused: unknown error (rc 256)"},
		{"negative", encode(reply{"rc": -5}), smp.DeviceError{Code: -5, Global: true},
			"device refused: unknown error (rc -5)"},
		{"huge", encode(reply{"rc": int64(1) << 32}), smp.DeviceError{Code: 1<<31 - 1, Global: true},
			"device refused: unknown error (rc 2147483647)"},
		{"group", encode(reply{"err": reply{"group": 1, "rc": 27}}), smp.DeviceError{Group: 1, Code: 27},
			"device refused: the running image is as new or newer (image 27 CURRENT_VERSION_IS_NEWER)"},
		{"other group", encode(reply{"err": reply{"group": 0, "rc": 4}}), smp.DeviceError{Group: 0, Code: 4},
			"device refused: the clock has never been set (os 4 RTC_NOT_SET)"},
		{"unknown group", encode(reply{"err": reply{"group": 64, "rc": 9}}), smp.DeviceError{Group: 64, Code: 9},
			"device refused: unknown error (group 64 9)"},
		{"group and global", encode(reply{"rc": 1, "err": reply{"group": 1, "rc": 9}}),
			smp.DeviceError{Group: 1, Code: 9},
			"device refused: no slot may be written: it is in use, or the fallback of an unconfirmed image (image 9 " +
				"NO_FREE_SLOT)"},
		{"first name of a group error", encode(reply{"ret": reply{"group": 1, "rc": 3}}),
			smp.DeviceError{Group: 1, Code: 3}, "device refused: no image in the slot (image 3 NO_IMAGE)"},
		{"error beside values", encode(reply{"off": 100, "images": []int{}, "r": "x", "rc": 7}),
			smp.DeviceError{Code: 7, Global: true},
			"device refused: answer does not fit the device's buffer (rc 7 EMSGSIZE)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				askAll(t, tt.body, func(name string, v any, err error) {
					var got *smp.DeviceError
					if !errors.As(err, &got) {
						t.Errorf("%s: %v, %v, want a refusal", name, v, err)
						return
					}
					want := tt.want
					want.Command = name
					if tt.want.Global {
						want.Group = got.Group // the request's
					}
					if diff := cmp.Diff(want, *got); diff != "" || err.Error() != name+": "+tt.text {
						t.Errorf("%s: %v, want %s (-want +got):\n%s", name, err, tt.text, diff)
					}
				})
			})
		})
	}
}

func TestRefusalQueries(t *testing.T) {
	tests := []struct {
		err               smp.DeviceError
		unsupported, busy bool
		name              string
	}{
		{smp.DeviceError{Code: 8, Global: true}, true, false, "ENOTSUP"},
		{smp.DeviceError{Code: 10, Global: true}, false, true, "EBUSY"},
		{smp.DeviceError{Group: 1, Code: 8}, false, false, "HASH_NOT_FOUND"},
		{smp.DeviceError{Group: 1, Code: 10}, false, false, "FLASH_OPEN_FAILED"},
		{smp.DeviceError{Group: 99, Code: 8}, false, false, ""},
	}
	for _, tt := range tests {
		wrapped := fmt.Errorf("update: %w", &tt.err)
		if tt.err.Unsupported() != tt.unsupported || smp.IsUnsupported(wrapped) != tt.unsupported ||
			tt.err.Busy() != tt.busy || tt.err.Name() != tt.name {
			t.Errorf("%v: unsupported %v, busy %v, name %s",
				&tt.err, tt.err.Unsupported(), tt.err.Busy(), tt.err.Name())
		}
	}
	if smp.IsUnsupported(nil) || smp.IsUnsupported(smp.ErrNoReply) {
		t.Error("IsUnsupported of something else")
	}
}

// Success may be said with rc 0 or an err of 0, and unknown keys are nobody's business.
func TestRepliesThatMeanSuccess(t *testing.T) {
	for _, body := range [][]byte{
		encode(reply{"r": "x", "rc": 0}),
		encode(reply{"r": "x", "err": reply{"group": 1, "rc": 0}}),
		encode(reply{"r": "x", "ret": 5}),
		encode(reply{"r": "x", "inst_role": 1, "vendor": []any{1, reply{"deep": []byte{1}}}}),
		encode(map[any]any{"r": "x", 7: "number as key"}),
		[]byte("\xbf\x61r\x7f\x61x\xff\xff"),
		[]byte("\xb8\x01\x61r\x78\x01x"),
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := settled(t, func(l *link, p []byte) { l.reply(response(p, body)) }, smp.Options{})
			if got, err := c.OS.Echo(t.Context(), "x"); got != "x" || err != nil {
				t.Errorf("answer %x: %q, %v", body, got, err)
			}
		})
	}
}

// The largest packets that a device can send, made to cost memory, must not cost much of it.
func TestRepliesTakeLittleMemory(t *testing.T) {
	fill := func(head, piece, tail string) []byte {
		return []byte(head + strings.Repeat(piece, (65535-len(head)-len(tail))/len(piece)) + tail)
	}
	for name, body := range map[string][]byte{
		"images":           fill("\xbf\x66images\x9f", "\xa0", "\xff\xff"),
		"images announced": fill("\xbf\x66images\x9a\x00\x00\xff\xff", "\xa0", ""),
		"images, at most":  []byte("\xbf\x66images\x9f" + strings.Repeat("\xa0", 4096) + "\xff\xff"),
		"slots":            fill("\xbf\x66images\x9f", "\xa1\x65slots\x88\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0", "\xff\xff"),
		"tasks":            fill("\xbf\x65tasks\xbf", "\x60\xa0", "\xff\xff"),
		"tasks, at most":   []byte("\xbf\x65tasks\xbf" + strings.Repeat("\x60\xa0", 1024) + "\xff\xff"),
		"nested pools":     fill("\xbf\x66mpools\xbf\x65tasks\xbf\x60", "\xbf\x60\x00\xff\x60", "\xa0\xff\xff\xff"),
		"keys":             fill("\xbf", "\x60\x00", "\xff"),
		"text in pieces":   fill("\xbf\x61r\x7f", "\x61x", "\xff\xff"),
		"text announced":   fill("\xbf\x61r\x7a\x7f\xff\xff\xff", "x", ""),
		"one text":         fill("\xbf\x61r\x79\xff\xf7", "\x1b", "\xff"),
		"levels":           fill("", "\xbf\x60", ""),
		"lists":            fill("\xbf\x61x", "\x9f", ""),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				askAll(t, body, func(string, any, error) {})
				runtime.ReadMemStats(&after)
				if got := (after.TotalAlloc - before.TotalAlloc) / uint64(len(asks)); got > 2<<20 {
					t.Errorf("%d KiB allocated for an answer", got>>10)
				}
			})
		})
	}
}

// recordedReplies are the different payloads that real servers answered with.
func recordedReplies(t testing.TB) [][]byte {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "wire", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var bodies [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if packet, ok := strings.CutPrefix(strings.TrimSpace(line), "< "); ok {
				bodies = append(bodies, unhex(t, packet)[smp.HeaderLen:])
			}
		}
	}
	slices.SortFunc(bodies, bytes.Compare)
	return slices.CompactFunc(bodies, bytes.Equal)
}

// FuzzReplies gives any bytes to every command: a value or an error comes of it, at once, and errors are fit for a
// terminal.
func FuzzReplies(f *testing.F) {
	f.Add([]byte{})
	f.Add(encode(reply{"rc": 8, "rsn": "\x1b[2J"}))
	f.Add(encode(reply{"err": reply{"group": 1, "rc": 9}}))
	f.Add(encode(reply{"off": 100, "match": true}))
	f.Add(encode(reply{"r": "x", "output": "Zephyr", "datetime": "2026-11-21T01:02:03.004", "bootloader": "MCUboot",
		"mode": 3}))
	f.Add(encode(reply{"images": []reply{{"slot": 0, "version": "1.2.3", "hash": make([]byte, 32), "active": true}},
		"splitStatus": 0}))
	f.Add(encode(reply{"images": []reply{{"image": 0,
		"slots": []reply{{"slot": 0, "size": 1 << 20}, {"slot": 1, "rc": -5}}, "max_image_size": 1000}}}))
	f.Add(encode(reply{"tasks": reply{"main": reply{"prio": -1, "tid": 1, "state": 2, "stkuse": 3, "stksiz": 4}}}))
	f.Add(encode(reply{"name": "x", "fields": reply{"ticks": 1, "": uint64(1) << 63}, "stat_list": []string{"a", "b"},
		"val": []byte{1, 2}}))
	f.Add(encode(reply{"o": "\x1b[31mno", "ret": -8}))
	f.Add(encode(reply{"o": "no", "rc": 3}))
	f.Add(encode(reply{"count": 7, "group": 3, "end": true,
		"groups": []reply{{"group": 63, "name": "x", "handlers": 1}}}))
	f.Add(encode(reply{"groups": []int{0, 1, 63}}))
	f.Add(encode(reply{"rc": 1, "next_index": 9, "log_list": []string{"x"}, "module_map": reply{"os": 1},
		"level_map": reply{"x": -1},
		"logs": []reply{{"name": "x", "type": 1,
			"entries": []reply{{"index": 1, "ts": int64(1) << 62, "module": 0, "level": 255, "type": "str",
				"msg": []byte("m")}}}}}))
	f.Add(encode(reply{"0": reply{"blksiz": 1, "nblks": 100, "nfree": 50, "min": 10}}))
	f.Add(bytes.Repeat([]byte{0xbf, 0x61, 'x'}, 20))
	for _, body := range recordedReplies(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1<<16-1 {
			return
		}
		for _, a := range asks {
			// The uploader waits between tries; only the fake clock has time for that.
			synctest.Test(t, func(t *testing.T) {
				c, _ := connect(t, answeringOnce(body), smp.Options{})
				within(t, time.Minute, func() {
					_, err := a.ask(t.Context(), c)
					if err != nil &&
						strings.ContainsFunc(err.Error(),
							func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
						t.Errorf("%s: control characters in %q", a.name, err)
					}
				})
			})
		}
	})
}
