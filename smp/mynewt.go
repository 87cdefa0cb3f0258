package smp

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// RunGroup holds Mynewt's commands for tests on the device (mynewt-core, test/runtest). Use it as a field of a
// [Client].
type RunGroup struct{ c *Client }

type runListReply struct {
	List []string `cbor:"run_list"`
}

// List gives the names of the tests that the device has.
func (g RunGroup) List(ctx context.Context) ([]string, error) {
	r, err := runList.do(ctx, g.c, none{})
	return r.List, err
}

type runRequest struct {
	Name  string `cbor:"testname"`
	Token string `cbor:"token"`
}

// Test starts a test, or all with the name "all". The device repeats the token in its log, where the outcome is.
func (g RunGroup) Test(ctx context.Context, name, token string) error {
	_, err := runTest.do(ctx, g.c, runRequest{name, token})
	return err
}

// CrashGroup holds Mynewt's command that crashes the device (mynewt-core, test/crash_test). Use it as a field of a
// [Client].
type CrashGroup struct{ c *Client }

type crashRequest struct {
	Kind string `cbor:"t"`
}

// Trigger crashes the device in the way that kind says: div0, jump0, ref0, assert or wdog. It reports whether the
// device still answered: most die before they can, so that neither silence nor the end of the link is an error. The
// request is sent once.
func (g CrashGroup) Trigger(ctx context.Context, kind string) (answered bool, err error) {
	if _, err := g.c.Negotiate(ctx); err != nil { // silence means something only from a device that was alive
		return false, err
	}
	_, err = crashTrigger.do(ctx, g.c, crashRequest{kind})
	if errors.Is(err, ErrNoReply) || errors.Is(err, ErrClosed) && g.c.Err() != ErrClosed {
		return false, nil
	}
	return err == nil, err
}

// LogGroup holds Mynewt's commands for logs that the device keeps (mynewt-core, sys/log). Zephyr has none of them. Use
// it as a field of a [Client].
type LogGroup struct{ c *Client }

// LogQuery says which entries of which log to show. The zero value means the first ones of every log.
type LogQuery struct {
	Name  string
	Index uint32        // of the first entry to show
	Since time.Duration // on the device's clock, the time of the first entry to show; negative: only the last entry
}

// LogPage is a part of the device's logs, as much as fits a packet.
type LogPage struct {
	Logs []Log
	Next uint32 // index that the next new entry will have
	More bool   // the device has later entries: ask again from the last index on
}

// Log is a log, or a part of it.
type Log struct {
	Name    string
	Type    int // 0 stream, 1 memory, 2 storage
	Entries []LogEntry
}

// LogEntry is one message. All of it is untrusted.
type LogEntry struct {
	Index     uint32
	Time      time.Duration // on the device's clock
	Module    uint8
	Level     uint8
	Type      string // of Message: "str", "cbor" or "bin"
	ImageHash []byte // first bytes of the hash of the image that wrote it; nil if the device does not say
	Message   []byte
}

type logRequest struct {
	Name  string `cbor:"log_name"`
	Since int64  `cbor:"ts"` // microseconds
	Index uint32 `cbor:"index"`
}

type logReply struct {
	status
	Next uint32 `cbor:"next_index"`
	Logs []struct {
		Name    string `cbor:"name"`
		Type    int64  `cbor:"type"`
		Entries []struct {
			Index     uint32      `cbor:"index"`
			Time      int64       `cbor:"ts"` // microseconds
			Module    uint8       `cbor:"module"`
			Level     uint8       `cbor:"level"`
			Type      string      `cbor:"type"`
			ImageHash []byte      `cbor:"imghash"`
			Message   textOrBytes `cbor:"msg"`
		} `cbor:"entries"`
	} `cbor:"logs"`
}

// rcMore is how Mynewt says that there are more entries. Without any entry it is the error of that number.
const rcMore = 1

// Show reads a part of the logs.
func (g LogGroup) Show(ctx context.Context, q LogQuery) (LogPage, error) {
	since := int64(q.Since / time.Microsecond)
	if q.Since < 0 {
		since = -1
	}
	body, err := logShow.ask(ctx, g.c, logRequest{q.Name, since, q.Index})
	if err != nil {
		return LogPage{}, err
	}
	var r logReply
	if err := decode(body, &r); err != nil {
		return LogPage{}, protocolError(logShow.name, err.Error())
	}
	more := r.RC == rcMore && len(r.Logs) > 0
	if more {
		r.RC = 0
	}
	if err := r.refusal(logShow.name, logShow.group); err != nil {
		return LogPage{}, err
	}
	page := LogPage{Next: r.Next, More: more, Logs: make([]Log, len(r.Logs))}
	for i, l := range r.Logs {
		page.Logs[i] = Log{Name: l.Name, Type: clampInt32(l.Type)}
		for _, e := range l.Entries {
			page.Logs[i].Entries = append(page.Logs[i].Entries,
				LogEntry{e.Index, microseconds(e.Time), e.Module, e.Level, e.Type, e.ImageHash, e.Message})
		}
	}
	return page, nil
}

// microseconds is a time as Mynewt counts it.
func microseconds(n int64) time.Duration {
	const most = int64(math.MaxInt64 / time.Microsecond)
	return time.Duration(min(max(n, -most), most)) * time.Microsecond
}

// Clear empties all logs.
func (g LogGroup) Clear(ctx context.Context) error {
	_, err := logClear.do(ctx, g.c, none{})
	return err
}

type logListReply struct {
	List []string `cbor:"log_list"`
}

// List gives the names of the logs.
func (g LogGroup) List(ctx context.Context) ([]string, error) {
	r, err := logList.do(ctx, g.c, none{})
	return r.List, err
}

// LogName is a module or level with its number in log entries.
type LogName struct {
	Name   string
	Number int
}

type logNames []LogName

// UnmarshalCBOR reads a map of numbers, and sorts it by number.
func (l *logNames) UnmarshalCBOR(b []byte) error {
	err := pairs(b, func(name string, value cbor.RawMessage) error {
		var n int64
		err := decMode.Unmarshal(value, &n)
		*l = append(*l, LogName{name, clampInt32(n)})
		return err
	})
	slices.SortStableFunc(*l, func(a, b LogName) int { return cmp.Compare(a.Number, b.Number) })
	return err
}

type logModulesReply struct {
	Map logNames `cbor:"module_map"`
}

// Modules gives the modules that log, by number.
func (g LogGroup) Modules(ctx context.Context) ([]LogName, error) {
	r, err := logModules.do(ctx, g.c, none{})
	return r.Map, err
}

type logLevelsReply struct {
	Map logNames `cbor:"level_map"`
}

// Levels gives the levels of entries, by number.
func (g LogGroup) Levels(ctx context.Context) ([]LogName, error) {
	r, err := logLevels.do(ctx, g.c, none{})
	return r.Map, err
}
