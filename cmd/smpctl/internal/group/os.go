package group

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

// ask is a command that puts one question to the device.
func ask(a *app.App, use, short, example string, args cobra.PositionalArgs,
	question func(context.Context, *smp.Client, []string) (app.Result, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: example, Args: args,
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) { return question(ctx, c, args) })
		}),
	}
}

// echoResult is the result of echo.
type echoResult struct {
	Text_   string  `json:"text"` // that came back
	Seconds float64 `json:"seconds"`
}

func (r echoResult) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, r.Text_)
	return err
}

func echoCommand(a *app.App) *cobra.Command {
	return ask(a, "echo <text>", "Send text to the device and print what comes back", "  smpctl -p sim: echo hello",
		app.Takes(1, 1), func(ctx context.Context, c *smp.Client, args []string) (app.Result, error) {
			if _, err := c.Negotiate(ctx); err != nil {
				return nil, fmt.Errorf("echo: %w", err)
			}
			start := time.Now()
			text, err := c.OS.Echo(ctx, args[0])
			if err != nil {
				return nil, err
			}
			if text != args[0] {
				return nil, fmt.Errorf("echo: the device sent %q back", text)
			}
			return echoResult{text, time.Since(start).Seconds()}, nil
		})
}

// paramsResult is the result of params.
type paramsResult struct {
	BufferSize  int `json:"buf_size"`
	BufferCount int `json:"buf_count"`
}

func (r paramsResult) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "buffer size: %d bytes\nbuffers: %d\n", r.BufferSize, r.BufferCount)
	return err
}

func paramsCommand(a *app.App) *cobra.Command {
	return ask(a, "params", "Show the device's packet buffers", "  smpctl -p sim: params", app.Takes(0, 0),
		func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			p, err := c.OS.Params(ctx)
			if err != nil {
				return nil, err
			}
			return paramsResult{p.BufferSize, p.BufferCount}, nil
		})
}

// osInfoResult is the result of os-info.
type osInfoResult struct {
	Output string `json:"output"` // in the device's words
}

func (r osInfoResult) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, r.Output)
	return err
}

func osInfoCommand(a *app.App) *cobra.Command {
	var format string
	cmd := ask(a, "os-info", "Show what the device says of its system", "  smpctl -p sim: os-info --format a",
		app.Takes(0, 0), func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			s, err := c.OS.Info(ctx, format)
			if err != nil {
				return nil, err
			}
			return osInfoResult{s}, nil
		})
	cmd.Flags().StringVarP(&format, "format", "f", "a",
		"items to show, as `letters`: s kernel, n node, r release, v version, b build date, m machine, p processor, "+
			"i board, o system, a all")
	return cmd
}

// bootloaderResult is what the application says of its bootloader.
type bootloaderResult struct {
	Bootloader  string `json:"bootloader"`          // its name
	Mode        *int   `json:"mode,omitempty"`      // how it handles updates, as MCUboot numbers that
	ModeName    string `json:"mode_name,omitempty"` // the same in words
	NoDowngrade bool   `json:"no_downgrade"`        // it refuses lower versions
}

func newBootloaderResult(b smp.BootloaderInfo) bootloaderResult {
	r := bootloaderResult{Bootloader: b.Name, NoDowngrade: b.NoDowngrade}
	if b.Mode != smp.ModeUnknown {
		mode := int(b.Mode)
		r.Mode, r.ModeName = &mode, b.Mode.String()
	}
	return r
}

func (r bootloaderResult) Text(w io.Writer) error {
	fmt.Fprintf(w, "bootloader: %s\nmode: %s\n", r.Bootloader, cmp.Or(r.ModeName, smp.ModeUnknown.String()))
	if r.NoDowngrade {
		fmt.Fprintln(w, "refuses lower versions")
	}
	return nil
}

func bootloaderCommand(a *app.App) *cobra.Command {
	return ask(a, "bootloader", "Show the bootloader and how it handles updates", "  smpctl -p sim: bootloader",
		app.Takes(0, 0), func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			b, err := c.OS.Bootloader(ctx)
			if err != nil {
				return nil, err
			}
			return newBootloaderResult(b), nil
		})
}

// taskResult is the result of taskstat.
type taskResult struct {
	Tasks []taskEntry `json:"tasks"` // the device's threads
}

// taskEntry is a thread of the device.
type taskEntry struct {
	Name       string  `json:"name"`                       // of the thread
	Priority   int64   `json:"priority"`                   // lower numbers come first
	ID         int64   `json:"id"`                         // number of the thread
	State      uint64  `json:"state"`                      // bits of the kernel's thread state
	Runtime    *uint64 `json:"runtime_cycles,omitempty"`   // cycles of the processor that it has used
	Switches   *uint64 `json:"context_switches,omitempty"` // how often it was switched to; Zephyr does not count
	StackUsed  *uint64 `json:"stack_used_bytes,omitempty"` // most that it has used of its stack
	StackBytes *uint64 `json:"stack_bytes,omitempty"`      // size of its stack
	Last       *uint64 `json:"last_checkin,omitempty"`     // with the watchdog, in the device's ticks; 0 on Zephyr
	Next       *uint64 `json:"next_checkin,omitempty"`     // with the watchdog, in the device's ticks; 0 on Zephyr
}

func newTaskResult(tasks []smp.Task) taskResult {
	r := taskResult{[]taskEntry{}}
	for _, t := range tasks {
		r.Tasks = append(r.Tasks,
			taskEntry{t.Name, t.Priority, t.ID, t.State, t.Runtime, t.Switches, stackBytes(t.StackUsed),
				stackBytes(t.StackSize), t.LastCheckin, t.NextCheckin})
	}
	return r
}

// stackWord is the unit of stack sizes on the wire, in bytes.
const stackWord = 4

func stackBytes(words *uint64) *uint64 {
	if words == nil || *words > 1<<48 {
		return nil
	}
	n := *words * stackWord
	return &n
}

// Text prints mcumgr-cli's layout, by name and with stacks in words; 0 is also what the device does not report.
func (r taskResult) Text(w io.Writer) error {
	fmt.Fprintf(w, "  %8s\t%3s %3s %8s %8s %8s %8s %8s %8s\n",
		"task", "pri", "tid", "runtime", "csw", "stksz", "stkuse", "last_checkin", "next_checkin")
	for _, e := range slices.SortedStableFunc(slices.Values(r.Tasks),
		func(a, b taskEntry) int { return strings.Compare(a.Name, b.Name) }) {
		fmt.Fprintf(w, "  %8s\t%3d %3d %8d %8d %8d %8d %8d %8d\n",
			e.Name, e.Priority, e.ID, orZero(e.Runtime), orZero(e.Switches),
			orZero(e.StackBytes)/stackWord, orZero(e.StackUsed)/stackWord, orZero(e.Last), orZero(e.Next))
	}
	return nil
}

func orZero(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}

func taskstatCommand(a *app.App) *cobra.Command {
	return ask(a, "taskstat", "Show the device's threads", "  smpctl -p sim: taskstat", app.Takes(0, 0),
		func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			tasks, err := c.OS.TaskStats(ctx)
			if err != nil {
				return nil, err
			}
			return newTaskResult(tasks), nil
		})
}

// poolResult is the result of mpstat.
type poolResult struct {
	Pools []poolEntry `json:"pools"` // the device's memory pools
}

func newPoolResult(pools []smp.Pool) poolResult {
	r := poolResult{[]poolEntry{}}
	for _, p := range pools {
		r.Pools = append(r.Pools, poolEntry(p))
	}
	return r
}

// poolEntry is a memory pool of the device.
type poolEntry struct {
	Name      string `json:"name"`        // of the pool
	BlockSize uint64 `json:"block_bytes"` // size of a block
	Blocks    uint64 `json:"blocks"`      // number of blocks
	Free      uint64 `json:"free"`        // number of free blocks
	LeastFree uint64 `json:"least_free"`  // fewest free blocks that there ever were
}

// Text prints mcumgr-cli's layout, by name.
func (r poolResult) Text(w io.Writer) error {
	fmt.Fprintf(w, "%32s %5s %4s %4s %4s\n", "name", "blksz", "cnt", "free", "min")
	for _, e := range slices.SortedStableFunc(slices.Values(r.Pools),
		func(a, b poolEntry) int { return strings.Compare(a.Name, b.Name) }) {
		fmt.Fprintf(w, "%32s %5d %4d %4d %4d\n", e.Name, e.BlockSize, e.Blocks, e.Free, e.LeastFree)
	}
	return nil
}

func mpstatCommand(a *app.App) *cobra.Command {
	return ask(a, "mpstat", "Show the device's memory pools", "  smpctl -p sim: mpstat", app.Takes(0, 0),
		func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			pools, err := c.OS.MemoryPools(ctx)
			if err != nil {
				return nil, err
			}
			return newPoolResult(pools), nil
		})
}

// datetimeResult is the result of datetime.
type datetimeResult struct {
	Datetime string `json:"datetime"` // the device's clock, as 2026-11-21T10:30:00; it has no time zone

	set string // what it was set to, if it was
	now bool   // that was the host's time
}

// Text prints mcumgr-cli's layout.
func (r datetimeResult) Text(w io.Writer) error {
	if r.now {
		fmt.Fprintf(w, "Setting time to %s\n", r.set)
	}
	if r.set != "" {
		_, err := fmt.Fprintln(w, "Done")
		return err
	}
	_, err := fmt.Fprintln(w, "Datetime(RFC 3339 format):", r.Datetime)
	return err
}

// deviceTime is how a device's clock is shown: it has no time zone.
const deviceTime = "2006-01-02T15:04:05.999999"

func datetimeCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "datetime [now|time]",
		Short: "Show or set the device's clock",
		Long: `Show the device's clock, or set it: to the host's local time with "now", or to a time such as
2026-11-21T10:30:00 or 2026-11-21T10:30:00+01:00. The device knows no time zone: it keeps the
reading as it stands.`,
		Example: "  smpctl -p sim: datetime now",
		Args:    app.Takes(0, 1),
	}
	cmd.RunE = a.Run(func(ctx context.Context, args []string) (app.Result, error) {
		var set *time.Time
		if len(args) == 1 {
			t, err := parseTime(args[0])
			if err != nil {
				return nil, err
			}
			set = &t
		}
		return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
			r, err := datetime(ctx, c, set)
			if err != nil {
				return nil, err
			}
			r.now = set != nil && args[0] == "now"
			return r, nil
		})
	})
	return cmd
}

// datetime sets the clock, if asked to, and reads it.
func datetime(ctx context.Context, c *smp.Client, set *time.Time) (r datetimeResult, err error) {
	if set != nil {
		r.set = set.Format(time.RFC3339)
		if err := c.OS.SetDatetime(ctx, *set); err != nil {
			return r, err
		}
	}
	t, err := c.OS.Datetime(ctx)
	r.Datetime = t.Format(deviceTime)
	return r, err
}

// parseTime reads the time to set: the reading of the clock is what counts, whatever its zone.
func parseTime(s string) (time.Time, error) {
	if s == "now" {
		return time.Now(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, deviceTime, time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, failure.Usage("time %q: want now, 2026-11-21T10:30:00 or 2026-11-21T10:30:00+01:00", s)
}
