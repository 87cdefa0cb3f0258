package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp/bootlog"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/pflag"
)

const (
	// samePort is the value of --console without one.
	samePort = "same"
	// keptLines is how many of the last lines go into a result.
	keptLines = 200
)

// consoleFlag adds --console to a command.
func consoleFlag(f *pflag.FlagSet, where *string) {
	f.StringVar(where, app.ConsoleFlag, "",
		"show what the device prints meanwhile: on this `port`, such as /dev/ttyUSB1, COM7 or tcp:…, or else on that "+
			"of "+
			"the command")
	f.Lookup(app.ConsoleFlag).NoOptDefVal = samePort
}

// checkOneConsole refuses one more port for several boards: nobody could tell which of them prints there.
func checkOneConsole(where string, f boards.Flags) error {
	if f.All && where != "" && where != samePort {
		return failure.Usage("--console=%s: that is the port of one board, and --all means several", where)
	}
	return nil
}

// console listens to what a device prints during a command: to show it, and to know what the bootloader said.
type console struct {
	shared *listener // on the port of the command
	second *listener // nil without one
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// console begins to listen. Without the flag it shows nothing, but hears the bootloader if that prints on the command's
// port.
func listen(ctx context.Context, a *app.App, d *device.Device, where string) (*console, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &console{shared: newListener(nil), cancel: cancel}
	if where != "" && where == d.Settings.Address.String() {
		where = samePort
	}
	if where == samePort && d.Settings.Address.Kind == transport.KindUDP {
		cancel()
		return nil, failure.Usage("--console: UDP carries no text; name a serial port: --console=PORT")
	}
	switch where {
	case "":
	case samePort:
		d.Settings.Transport.KeepInput = true
		c.shared.show = a.Aside
	default:
		if err := c.listenTo(ctx, a, where); err != nil {
			cancel()
			return nil, err
		}
	}
	d.Settings.Transport.Text = c.shared.text.Put
	c.work.Go(a.Guarded(c.shared.hear))
	return c, nil
}

// listenTo opens the second port and shows what comes from there.
func (c *console) listenTo(ctx context.Context, a *app.App, where string) error {
	address, err := device.ParseAddress(where)
	if err != nil {
		return err
	}
	if address.Kind == transport.KindUDP || address.Kind == device.KindSim {
		return failure.Usage("--console=%s: want a serial port or tcp:HOST:PORT", where)
	}
	t := device.NewTail(&device.Device{App: a,
		Settings: device.Settings{Address: address, Transport: transport.Options{Baud: a.Flags.Baud, Retry: always}}})
	conn, err := t.Open(ctx)
	if err != nil {
		return err
	}
	c.second = &listener{text: &t.Text, show: a.Aside}
	c.work.Go(a.Guarded(func() { _ = t.Follow(ctx, conn) })) // waits for ever, so it ends with ctx only
	c.work.Go(a.Guarded(c.second.hear))
	return nil
}

// always goes on trying to open a busy port, within the limits of package transport.
func always(*transport.OpenError) bool { return true }

// close stops listening, once everything that arrived is shown. It may be called again.
func (c *console) close() {
	c.shared.text.Close()
	c.cancel()
	c.work.Wait()
}

// forget drops what the bootloader said so far: it is about to start again, and what counts comes then.
func (c *console) forget() {
	for _, l := range []*listener{c.shared, c.second} {
		if l != nil {
			l.mu.Lock()
			l.log = bootlog.Log{}
			l.mu.Unlock()
		}
	}
}

// consoleResult is what was heard, as part of a result.
type consoleResult struct {
	Reason  string   `json:"reason,omitempty"`  // why the new image does not run, in the bootloader's words
	Console []string `json:"console,omitempty"` // the last lines that the device printed
}

// explain ends listening. It adds the bootloader's reason to an error that is about it.
func (c *console) explain(err error) (consoleResult, error) {
	c.close()
	main, reason := c.shared, c.shared.log.Reason()
	if c.second != nil {
		main, reason = c.second, cmp.Or(c.second.log.Reason(), reason)
	}
	var running *dfu.NotRunningError
	failed := errors.As(err, &running)
	var r consoleResult
	if main.show != nil || failed {
		r.Console = main.kept
	}
	if reason != "" && (failed || errors.Is(err, dfu.ErrNotBack)) {
		r.Reason, err = reason, failure.WithReason(err, reason)
	}
	return r, err
}

// listener takes lines from one port.
type listener struct {
	text  *screen.Buffer
	show  func(line string) // nil: nobody wants to see them
	lines screen.Lines
	kept  []string // the last lines, without those of debugging

	mu  sync.Mutex // guards log
	log bootlog.Log
}

func newListener(show func(line string)) *listener {
	return &listener{text: new(screen.Buffer), show: show}
}

// hear takes lines until the text ends.
func (l *listener) hear() {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), l.timeout())
		text, dropped, err := l.text.Take(ctx)
		cancel()
		l.lines.Feed(text, l.line)
		if dropped > 0 {
			l.line(fmt.Sprintf("(%s dropped: they came too fast)", human.Size(dropped)))
		}
		if err != nil {
			l.lines.Flush(l.line)
		}
		if errors.Is(err, io.EOF) {
			return
		}
	}
}

// timeout is how long the next text may take before a line without an end counts as one.
func (l *listener) timeout() time.Duration {
	if l.lines.Pending() == "" {
		return time.Hour
	}
	return screen.LineQuiet
}

func (l *listener) line(text string) {
	l.mu.Lock()
	l.log.Line(text)
	l.mu.Unlock()
	text = bootlog.Clean(text)
	if l.show != nil {
		l.show(text)
	}
	// A bootloader with debugging on prints hundreds of lines at each boot.
	if text == "" || strings.HasPrefix(text, "D: ") {
		return
	}
	if l.kept = append(l.kept, text); len(l.kept) > keptLines {
		l.kept = slices.Delete(l.kept, 0, len(l.kept)-keptLines)
	}
}
