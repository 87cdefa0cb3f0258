package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trace"
	"github.com/smpctl/smpctl/smp/bootlog"
)

// read takes text until it ends.
func (m *monitor) read(ctx context.Context) {
	for {
		wait := time.Hour
		if m.quietCounts() {
			wait = screen.LineQuiet
		}
		limit, cancel := context.WithTimeout(context.Background(), wait)
		text, dropped, err := m.tail.Text.Take(limit)
		cancel()
		m.mu.Lock()
		m.show(text, dropped)
		if err != nil {
			m.quiet()
		}
		m.mu.Unlock()
		if errors.Is(err, io.EOF) {
			m.finish()
			return
		}
	}
}

// drain shows at once what has arrived.
func (m *monitor) drain() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	m.mu.Lock()
	defer m.mu.Unlock()
	text, dropped, _ := m.tail.Text.Take(over)
	m.show(text, dropped)
	m.quiet()
}

// packet puts the description of a packet where it came.
func (m *monitor) packet(p []byte) {
	if m.frames {
		m.tail.Text.Put([]byte("< " + trace.Words(p) + "\r\n"))
	}
}

// show puts text on the screen and into the log, and looks at its lines. The lock is held.
func (m *monitor) show(text []byte, dropped int) {
	if len(text) == 0 && dropped == 0 || m.failed != nil {
		return
	}
	m.result.Bytes += len(text)
	m.result.Dropped += dropped
	stamped := m.stamped(text)
	for _, w := range []io.Writer{m.screen, m.log} {
		if w == nil {
			continue
		}
		if _, err := w.Write(stamped); err != nil {
			m.failed = fmt.Errorf("monitor: %w", err)
			m.end(m.failed)
			return
		}
	}
	m.lines.Feed(text, m.line)
	if dropped > 0 {
		m.app.Warn("%s of the device's text came too fast and are lost", human.Size(dropped))
	}
}

// stamped is text with the time at the beginning of each line, if the user wants that.
func (m *monitor) stamped(text []byte) []byte {
	if !m.stamps {
		return text
	}
	var b bytes.Buffer
	now := time.Now().Format("15:04:05.000 ")
	for piece := range bytes.Lines(text) {
		if !m.within {
			b.WriteString(now)
		}
		b.Write(piece)
		m.within = piece[len(piece)-1] != '\n'
	}
	return b.Bytes()
}

// quietCounts reports whether somebody looks at a line that has no end yet, such as a prompt.
func (m *monitor) quietCounts() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lines.Pending() != ""
}

// quiet takes the line that has no end yet for one. The lock is held.
func (m *monitor) quiet() {
	if m.app.Flags.JSON {
		m.lines.Flush(m.line)
	} else if text := m.lines.Pending(); text != "" {
		m.match(text)
	}
}

func (m *monitor) line(text string) {
	if m.app.Flags.JSON { // else the text is out already
		m.app.Aside(bootlog.Clean(text))
	}
	m.match(text)
}

func (m *monitor) match(text string) {
	if m.until == nil || m.result.Matched != "" {
		return
	}
	if text = bootlog.Clean(text); m.until.MatchString(text) {
		m.result.Matched = text
		m.end(errMatched)
	}
}

// finish leaves the terminal as it was.
func (m *monitor) finish() {
	if t, ok := m.screen.(*screen.Terminal); ok {
		_ = t.Close() // a terminal that is gone needs no colours
	}
}
