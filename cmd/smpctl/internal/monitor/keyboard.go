package monitor

import (
	"bytes"
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/transport"
	"golang.org/x/term"
)

// leaveKey is Ctrl-], as in other terminal programs.
const leaveKey = 0x1d

// keyboard is where typed text comes from, and the screen that goes with it.
type keyboard struct {
	app    *app.App
	in     io.Reader
	screen io.Writer // nil: nothing is shown
	raw    bool      // each key counts
	help   string
	Close  func() // restores the terminal
}

// Keyboard takes the terminal, if there is one on both sides, and makes each key count.
func Keyboard(a *app.App) *keyboard {
	k := &keyboard{app: a, in: a.In, screen: a.Bytes, Close: func() {}}
	switch {
	case a.Flags.JSON:
		k.screen = nil
	case a.OutTTY:
		k.screen = &screen.Terminal{W: a.Bytes}
	}
	file, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return k
	}
	readsInBackground()
	if !a.OutTTY || a.Flags.JSON {
		return k
	}
	before, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return k
	}
	a.News.Raw(a.ErrTTY)
	k.raw, k.screen, k.help = true, &screen.Terminal{W: a.Bytes, Raw: true}, "; Ctrl-] leaves"
	k.Close = func() {
		a.News.Raw(false)
		_ = term.Restore(int(file.Fd()), before)
	}
	return k
}

// pass sends what is typed until the input ends or the user leaves.
func (k *keyboard) pass(ctx context.Context, link *wire, end context.CancelCauseFunc) {
	buf := make([]byte, 1024)
	for {
		n, err := k.in.Read(buf)
		typed := buf[:n]
		left := -1
		if k.raw {
			left = bytes.IndexByte(typed, leaveKey)
		}
		if left >= 0 {
			typed = typed[:left]
		}
		if k.raw {
			k.press(ctx, link, typed)
		} else {
			link.send(ctx, typed, true)
		}
		if left >= 0 {
			end(errLeft)
		}
		if err != nil || left >= 0 || ctx.Err() != nil {
			return
		}
	}
}

// keyTime is how long a device may take for a key before the next key is looked at.
const keyTime = time.Second

// press sends keys. A device that takes nothing leaves the user the keyboard: Ctrl-] is the only way out.
func (k *keyboard) press(ctx context.Context, link *wire, keys []byte) {
	keys = bytes.Clone(keys)
	sent := make(chan struct{})
	k.app.Spawn(func() {
		defer close(sent)
		link.send(ctx, keys, false)
	})
	select {
	case <-sent:
	case <-time.After(keyTime):
	}
}

// wire is the way to a device that may be away. The zero value leads nowhere.
type wire struct {
	mu   sync.Mutex // guards what follows
	conn *transport.Conn
	news chan struct{} // closed at the next change; nil if nobody waits
}

// set says what leads to the device now.
func (w *wire) set(c *transport.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = c
	if w.news != nil {
		close(w.news)
		w.news = nil
	}
}

// send sends text. While the device is away it waits, or drops it as a terminal does.
func (w *wire) send(ctx context.Context, text []byte, wait bool) {
	for ctx.Err() == nil && len(text) > 0 {
		w.mu.Lock()
		conn := w.conn
		if conn == nil && w.news == nil {
			w.news = make(chan struct{})
		}
		news := w.news
		w.mu.Unlock()
		if conn != nil {
			_ = conn.WriteText(text) // the reader finds out that a connection is gone
			return
		}
		if !wait {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
}
