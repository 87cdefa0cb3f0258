package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"regexp/syntax"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

type monitorOptions struct {
	timestamps bool
	log        string
	frames     bool
	limit      app.Seconds
	until      string
	wait       app.WaitTime
	waits      bool // the user said how long
}

func monitorCommand(a *app.App) *cobra.Command {
	var o monitorOptions
	cmd := &cobra.Command{
		Use:        "monitor",
		SuggestFor: []string{"terminal", "term", "console", "serial", "listen"},
		Short:      "Open a terminal on the device's port, across resets",
		Long: `Open a terminal on the device's port: what the device prints is shown, what is typed is sent. SMP
frames are left out. When the port goes away, the monitor waits until the device is back, under
whatever name.

On a terminal each key is sent at once, Ctrl-C too; Ctrl-] leaves. Of the device's escape sequences
only colours and those that edit a line take effect. Otherwise standard input is sent as it comes,
its end changes nothing, and standard output and --log get the device's bytes as they are: so
scripts use --for and --until.

Exit codes: 0 when the time of --for is over or a line matched --until, or the user left; 4 when no
line matched in time, or the port did not come back within --wait.`,
		Example: `  smpctl -p sim: monitor --timestamps --for 2
  smpctl -p usb:2fe3:0004 monitor --log board.log
  smpctl -p /dev/ttyACM0 monitor --until 'Booting Zephyr' --for 30`,
		Args: app.Takes(0, 0),
	}
	f := cmd.Flags()
	cmd.RunE = a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
		o.waits = f.Changed("wait")
		return watch(ctx, a, o)
	})
	f.BoolVar(&o.timestamps, "timestamps", false, "begin each line with the time of its arrival")
	f.StringVar(&o.log, "log", "", "also append the text to this `file`")
	f.BoolVar(&o.frames, "frames", false, "also show SMP packets, a line each")
	f.Var(&o.limit, "for", "end after this time (default: when the user leaves)")
	f.StringVar(&o.until, "until", "", "end once a line matches this `regexp`")
	f.Var(&o.wait, "wait",
		"how long the port may be away; 0: not at all (default: 10s at the start, later for ever)")
	f.Lookup("wait").DefValue = ""
	return cmd
}

// monitorResult is the result of monitor. Its text is what the device printed, which is already out.
type monitorResult struct {
	Port       string  `json:"port"`
	Bytes      int     `json:"bytes"`             // of text that the device printed
	Dropped    int     `json:"dropped_bytes"`     // of text that came too fast
	Reconnects int     `json:"reconnects"`        // how often the port came back
	Matched    string  `json:"matched,omitempty"` // the line that --until waited for
	Seconds    float64 `json:"seconds"`
}

func (r monitorResult) Text(io.Writer) error { return nil }

var (
	errLeft    = errors.New("left")
	errTime    = errors.New("the time is over")
	errMatched = errors.New("a line matched")
)

func watch(ctx context.Context, a *app.App, o monitorOptions) (app.Result, error) {
	until, err := regexp.Compile(o.until)
	if err != nil {
		return nil, failure.Usage("--until %q: is no regular expression: %s", o.until, fault(err))
	}
	d, err := device.New(a)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if d.Settings.Address.Kind == transport.KindUDP {
		return nil, failure.Usage("monitor: UDP carries no text")
	}
	outer := ctx
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	m := &monitor{app: a, tail: device.NewTail(d), end: end, frames: o.frames, stamps: o.timestamps, start: time.Now()}
	if o.until != "" {
		m.until = until
	}
	if o.log != "" {
		file, err := os.OpenFile(o.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
		if err != nil {
			return nil, files.FileError("--log "+o.log, err)
		}
		defer file.Close()
		m.log = file
	}
	m.limit = time.Duration(o.limit)
	if o.waits {
		d.Wait = time.Duration(o.wait)
		m.tail.Wait = max(d.Wait, 1) // 0 is for ever
	}
	if err := m.run(ctx); err != nil {
		return nil, err
	}
	return m.outcome(outer, ctx, o)
}

// fault is what is wrong with a regular expression, without what the library says around it.
func fault(err error) string {
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return wrong.Code.String()
	}
	return err.Error()
}

// outcome is what the end of ctx means.
func (m *monitor) outcome(outer, ctx context.Context, o monitorOptions) (app.Result, error) {
	r := m.result
	r.Port, r.Seconds = m.tail.Device.Name, time.Since(m.start).Seconds()
	cause := context.Cause(ctx)
	switch {
	case m.failed != nil:
		return r, m.failed
	case o.until == "" || errors.Is(cause, errMatched):
		return r, nil
	case errors.Is(cause, errTime):
		return r, failure.WithKind(failure.KindNoReply,
			fmt.Errorf("monitor: no line matched %q within %v", o.until, time.Duration(o.limit)))
	case outer.Err() != nil:
		return r, context.Cause(outer)
	}
	return r, nil
}

// monitor is a terminal on a device's port.
type monitor struct {
	app    *app.App
	tail   *device.Tail
	end    context.CancelCauseFunc
	start  time.Time
	log    io.Writer // nil without
	frames bool
	stamps bool
	until  *regexp.Regexp // nil without
	limit  time.Duration  // 0: none

	link wire

	mu     sync.Mutex // guards what follows: text is taken by the reader, and when the port goes
	screen io.Writer
	within bool // a line
	lines  screen.Lines
	result monitorResult
	failed error // of writing the text
}

// run shows text and sends what is typed until ctx ends.
func (m *monitor) run(ctx context.Context) error {
	conn, err := m.tail.Open(ctx)
	if err != nil {
		return err
	}
	if m.limit > 0 {
		timer := time.AfterFunc(m.limit, func() { m.end(errTime) })
		defer timer.Stop()
	}
	k := Keyboard(m.app)
	defer k.Close()
	m.screen = k.screen
	m.link.set(conn)
	m.tail.Linked, m.tail.Packet = m.link.set, m.packet
	since := time.Now()
	took := func() (seconds float64) {
		seconds, since = time.Since(since).Seconds(), time.Now()
		return seconds
	}
	m.tail.Gone = func(port string) {
		m.drain()
		m.app.Say("monitor: %s is gone: waiting for it", port)
		m.app.Event(app.PortEvent{Event: app.PortGone, Port: port, Seconds: took()})
	}
	m.tail.Back = func(port string) {
		m.result.Reconnects++
		m.app.Say("monitor: %s is back", port)
		m.app.Event(app.PortEvent{Event: app.PortBack, Port: port, Seconds: took()})
	}
	m.app.Say("monitor: %s%s", m.tail.Device.Name, k.help)
	var work sync.WaitGroup
	defer work.Wait()
	defer m.end(errLeft) // also of a panic, for the reader's sake
	work.Go(m.app.Guarded(func() { m.read(ctx) }))
	m.app.Spawn(func() { k.pass(ctx, &m.link, m.end) }) // ends with its input, which nothing can interrupt
	return m.tail.Follow(ctx, conn)
}
