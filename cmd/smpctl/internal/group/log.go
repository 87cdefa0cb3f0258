package group

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/cborjson"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func logCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show the logs that the device keeps (Mynewt)",
		RunE:  app.NeedsCommand,
	}
	cmd.AddCommand(logShowCommand(a),
		ask(a, "list", "Show which logs there are", "  smpctl -p sim: log list", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				names, err := c.Log.List(ctx)
				if err != nil {
					return nil, err
				}
				return nameList("available logs", names), nil
			}),
		ask(a, "module_list", "Show which modules write to logs", "  smpctl -p sim: log module_list", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				names, err := c.Log.Modules(ctx)
				if err != nil {
					return nil, err
				}
				return logModules{logNumbers(names)}, nil
			}),
		ask(a, "level_list", "Show the levels of log entries", "  smpctl -p sim: log level_list", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				names, err := c.Log.Levels(ctx)
				if err != nil {
					return nil, err
				}
				return logLevels{logNumbers(names)}, nil
			}),
		ask(a, "clear", "Empty all logs", "  smpctl -p sim: log clear", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
				if err := c.Log.Clear(ctx); err != nil {
					return nil, err
				}
				return doneResult{Done: "clear", low: true}, nil
			}))
	return cmd
}

// logNumber is a module or level, by which log entries name it.
type logNumber struct {
	Name   string `json:"name"`   // as the device has it
	Number int    `json:"number"` // by which entries name it
}

func logNumbers(names []smp.LogName) []logNumber {
	list := make([]logNumber, len(names))
	for i, n := range names {
		list[i] = logNumber(n)
	}
	return list
}

// logModules is the result of log module_list.
type logModules struct {
	Modules []logNumber `json:"modules"` // that write to logs
}

// Text prints mcumgr-cli's layout, by name.
func (r logModules) Text(w io.Writer) error {
	fmt.Fprintln(w, "available modules:")
	for _, m := range slices.SortedStableFunc(slices.Values(r.Modules),
		func(a, b logNumber) int { return strings.Compare(a.Name, b.Name) }) {
		fmt.Fprintf(w, "    %s (%d)\n", m.Name, m.Number)
	}
	return nil
}

// logLevels is the result of log level_list.
type logLevels struct {
	Levels []logNumber `json:"levels"` // of log entries
}

// Text prints mcumgr-cli's layout.
func (r logLevels) Text(w io.Writer) error {
	fmt.Fprintln(w, "available levels:")
	for _, l := range r.Levels {
		fmt.Fprintf(w, "    %d: %s\n", l.Number, l.Name)
	}
	return nil
}

func logShowCommand(a *app.App) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "show [log [last|index [timestamp]]]",
		Short: "Show entries of one log, or of all",
		Long: `Show entries of one log, or of all: as many as the device sends at a time, or with --all up to the
end. An index is that of the first entry to show, a timestamp its time in microseconds; "last" shows
the last entry alone.`,
		Example: "  smpctl -p sim: log show\n  smpctl -p sim: log show reboot_log last\n" +
			"  smpctl -p sim: log show --all reboot_log",
		Args: app.Takes(0, 3),
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "read to the end of the log")
	cmd.RunE = a.Run(func(ctx context.Context, args []string) (app.Result, error) {
		q, err := parseLogQuery(args)
		if err != nil {
			return nil, err
		}
		if all && q.Name == "" {
			return nil, failure.Usage("log show: --all needs the name of one log")
		}
		return device.With(ctx, a, func(c *smp.Client) (app.Result, error) { return showLog(ctx, c, q, all) })
	})
	return cmd
}

func parseLogQuery(args []string) (q smp.LogQuery, err error) {
	if len(args) > 0 {
		q.Name = args[0]
	}
	switch {
	case len(args) < 2:
		return q, nil
	case args[1] == "last":
		q.Since = -1
		return q, nil
	}
	index, err := strconv.ParseUint(args[1], 0, 32)
	if err != nil {
		return q, failure.Usage("log show: index %q: want last, or a number", args[1])
	}
	q.Index = uint32(index)
	if len(args) > 2 {
		us, err := strconv.ParseInt(args[2], 0, 64)
		if err != nil || us < 0 || us > maxLogTime {
			return q, failure.Usage("log show: timestamp %q: want microseconds", args[2])
		}
		q.Since = time.Duration(us) * time.Microsecond
	}
	return q, nil
}

const maxLogTime = int64(1<<63-1) / int64(time.Microsecond)

// maxLogPages bounds how long a device may go on about one log.
const maxLogPages = 10_000

// showLog reads one page, or all pages as one.
func showLog(ctx context.Context, c *smp.Client, q smp.LogQuery, all bool) (app.Result, error) {
	r := logResult{Logs: []logPart{}, all: all}
	for range maxLogPages {
		page, err := c.Log.Show(ctx, q)
		if err != nil {
			return nil, err
		}
		r.NextIndex, r.More = page.Next, page.More
		last, any := r.add(page)
		switch {
		case !all || !page.More:
			return r, nil
		case !any:
			return r, errors.New("log show: the device has more entries, but none that fits its packet")
		case last < q.Index || last == math.MaxUint32:
			return r, errors.New("log show: the device sends the same entries again and again")
		}
		q.Index = last + 1
	}
	return nil, fmt.Errorf("log show: no end after %d packets", maxLogPages)
}

// logResult is the result of log show.
type logResult struct {
	NextIndex uint32    `json:"next_index"` // that the device's next entry will have
	More      bool      `json:"more"`       // there are entries that did not fit
	Logs      []logPart `json:"logs"`       // the entries of each log

	all bool
}

// logPart is what was read of one log.
type logPart struct {
	Name    string     `json:"name"`    // of the log
	Type    int        `json:"type"`    // of the log: 0 stream, 1 memory, 2 storage
	Entries []logEntry `json:"entries"` // in the device's order
}

// logEntry is one entry of a log.
type logEntry struct {
	Index     uint32 `json:"index"`                // by which it can be asked for
	Timestamp int64  `json:"timestamp_us"`         // the device's time, in microseconds
	Module    uint8  `json:"module"`               // number of the module: log module_list
	Level     uint8  `json:"level"`                // number of the level: log level_list
	Type      string `json:"type"`                 // of the message: str, cbor or another
	ImageHash string `json:"image_hash,omitempty"` // beginning of the hash of the image that wrote it
	Message   string `json:"message"`              // as text; CBOR as JSON, anything unknown in hexadecimal digits
}

// add takes a page and returns the index of its last entry, if it has one.
func (r *logResult) add(page smp.LogPage) (last uint32, any bool) {
	for _, l := range page.Logs {
		if n := len(r.Logs); n == 0 || r.Logs[n-1].Name != l.Name {
			r.Logs = append(r.Logs, logPart{Name: l.Name, Type: l.Type, Entries: []logEntry{}})
		}
		part := &r.Logs[len(r.Logs)-1]
		for _, e := range l.Entries {
			part.Entries = append(part.Entries, logEntry{e.Index, e.Time.Microseconds(), e.Module, e.Level, e.Type,
				hex.EncodeToString(e.ImageHash), logMessage(e)})
			last, any = e.Index, true
		}
	}
	return last, any
}

// logMessage is the message as text: CBOR as JSON, anything unknown in hexadecimal digits.
func logMessage(e smp.LogEntry) string {
	switch e.Type {
	case "str":
		return string(e.Message)
	case "cbor":
		if text, err := cborjson.ToJSON(e.Message); err == nil {
			return string(text)
		}
	}
	return hex.EncodeToString(e.Message)
}

// Names of Mynewt's constants, as mcumgr-cli shows them (mynewt-newtmgr nmxact/nmp/log.go).
var (
	logTypeNames   = map[int]string{0: "STREAM", 1: "MEMORY", 2: "STORAGE"}
	logLevelNames  = map[uint8]string{0: "DEBUG", 1: "INFO", 2: "WARN", 3: "ERROR", 4: "CRITICAL"}
	logModuleNames = map[uint8]string{0: "DEFAULT", 1: "OS", 2: "NEWTMGR", 3: "NIMBLE_CTLR", 4: "NIMBLE_HOST",
		5: "NFFS", 6: "REBOOT", 8: "TEST"}
)

func nameOr[K comparable](names map[K]string, k K, other string) string {
	if name, ok := names[k]; ok {
		return name
	}
	return other
}

// Text prints mcumgr-cli's layout.
func (r logResult) Text(w io.Writer) error {
	if !r.all {
		status := 0
		if r.More {
			status = 1
		}
		fmt.Fprintf(w, "Status: %d\nNext index: %d\n", status, r.NextIndex)
	}
	if len(r.Logs) == 0 {
		fmt.Fprintln(w, "(no logs retrieved)")
	}
	for _, l := range r.Logs {
		const columns = "%10s %22s | %16s %16s %6s %8s %s\n"
		fmt.Fprintf(w, "Name: %s\nType: %s\n", l.Name, nameOr(logTypeNames, l.Type, "UNDEFINED"))
		fmt.Fprintf(w, columns, "[index]", "[timestamp]", "[module]", "[level]", "[type]", "[img]", "[message]")
		for _, e := range l.Entries {
			fmt.Fprintf(w, columns, fmt.Sprint(e.Index), fmt.Sprintf("%dus", e.Timestamp),
				fmt.Sprintf("%s (%d)", nameOr(logModuleNames, e.Module, "CUSTOM"), e.Module),
				fmt.Sprintf("%s (%d)", nameOr(logLevelNames, e.Level, "CUSTOM"), e.Level), e.Type, e.ImageHash,
				e.Message)
		}
	}
	return nil
}
