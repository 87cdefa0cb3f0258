package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

type monitorOptions struct {
	timestamps bool
	log        string
	frames     bool
	limit      seconds
	until      string
	wait       seconds
}

func monitorCommand(a *app) *cobra.Command {
	var o monitorOptions
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Open a terminal on the device's port, across resets",
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
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context, _ []string) (result, error) { return a.monitor(ctx, o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.timestamps, "timestamps", false, "begin each line with the time of its arrival")
	f.StringVar(&o.log, "log", "", "append the text to this `file` too")
	f.BoolVar(&o.frames, "frames", false, "show SMP packets, a line each")
	f.Var(&o.limit, "for", "end after this time (default: when the user leaves)")
	f.StringVar(&o.until, "until", "", "end once a line matches this `regexp`")
	f.Var(&o.wait, "wait",
		"how long the port may be away, at the start too (default: at the start not at all, later for ever)")
	return cmd
}

// monitorResult is the result of monitor. Its text is what the device printed, which is already out.
type monitorResult struct {
	Port       string  `json:"port"`
	Bytes      int     `json:"bytes"`
	Dropped    int     `json:"dropped"` // bytes that came too fast
	Reconnects int     `json:"reconnects"`
	Matched    string  `json:"matched,omitempty"`
	Seconds    float64 `json:"seconds"`
}

func (r monitorResult) Text(io.Writer) error { return nil }

var (
	errLeft    = errors.New("left")
	errTime    = errors.New("the time is over")
	errMatched = errors.New("a line matched")
)

func (a *app) monitor(ctx context.Context, o monitorOptions) (result, error) {
	until, err := regexp.Compile(o.until)
	if err != nil {
		return nil, usage("--until: %w", err)
	}
	d, err := a.device()
	if err != nil {
		return nil, err
	}
	defer d.close()
	if d.settings.address.Kind == transport.KindUDP {
		return nil, usage("monitor: UDP carries no text")
	}
	outer := ctx
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	m := &monitor{app: a, tail: newTail(d), end: end, frames: o.frames, stamps: o.timestamps, start: time.Now()}
	if o.until != "" {
		m.until = until
	}
	if o.log != "" {
		file, err := os.OpenFile(o.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
		if err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
		defer file.Close()
		m.log = file
	}
	m.tail.wait, m.limit = time.Duration(o.wait), time.Duration(o.limit)
	if err := m.run(ctx); err != nil {
		return nil, err
	}
	return m.outcome(outer, ctx, o)
}

// outcome is what the end of ctx means.
func (m *monitor) outcome(outer, ctx context.Context, o monitorOptions) (result, error) {
	r := m.result
	r.Port, r.Seconds = m.tail.device.name, time.Since(m.start).Seconds()
	cause := context.Cause(ctx)
	switch {
	case m.failed != nil:
		return r, m.failed
	case o.until == "" || errors.Is(cause, errMatched):
		return r, nil
	case errors.Is(cause, errTime):
		return r, withKind(kindNoReply,
			fmt.Errorf("monitor: no line matched %q within %v", o.until, time.Duration(o.limit)))
	case outer.Err() != nil:
		return r, context.Cause(outer)
	}
	return r, nil
}

// monitor is a terminal on a device's port.
type monitor struct {
	app    *app
	tail   *tail
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
	lines  lineSplitter
	result monitorResult
	failed error // of writing the text
}

// run shows text and sends what is typed until ctx ends.
func (m *monitor) run(ctx context.Context) error {
	conn, err := m.open(ctx)
	if err != nil {
		return err
	}
	if m.limit > 0 {
		timer := time.AfterFunc(m.limit, func() { m.end(errTime) })
		defer timer.Stop()
	}
	k := m.app.keyboard()
	defer k.close()
	m.screen = k.screen
	m.link.set(conn)
	m.tail.linked, m.tail.packet = m.link.set, m.packet
	m.tail.gone = func(port string) {
		m.drain()
		m.app.say("monitor: %s is gone: waiting for it", port)
	}
	m.tail.back = func(port string) {
		m.result.Reconnects++
		m.app.say("monitor: %s is back", port)
	}
	m.app.say("monitor: %s%s", m.tail.device.name, k.help)
	var work sync.WaitGroup
	defer work.Wait()
	defer m.end(errLeft) // also of a panic, for the reader's sake
	work.Go(m.app.guarded(func() { m.read(ctx) }))
	m.app.spawn(func() { k.pass(ctx, &m.link, m.end) }) // ends with its input, which nothing can interrupt
	return m.tail.follow(ctx, conn)
}

// open connects for the first time, which may take as long as the user says.
func (m *monitor) open(ctx context.Context) (*transport.Conn, error) {
	conn, err := m.tail.open(ctx)
	var absent *transport.OpenError
	if err == nil || m.tail.wait == 0 || !errors.As(err, &absent) {
		return conn, err
	}
	conn, again := m.tail.redial(ctx)
	if errors.As(again, &absent) || conn == nil {
		return nil, absent // it was never there
	}
	return conn, nil
}
