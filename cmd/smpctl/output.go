package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// print writes the result of a command: the only place that writes to standard output.
func (a *app) print(r result) error {
	var buf bytes.Buffer
	if b, ok := r.(inBytes); ok && !a.flags.json && !a.outTTY && b.Raw() != nil {
		_, err := a.bytes.Write(b.Raw())
		return err
	}
	if a.flags.json {
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			return err
		}
	} else if err := r.Text(&buf); err != nil {
		return err
	}
	_, err := a.out.Write(buf.Bytes())
	return err
}

// inBytes is a result that can be bytes instead of text: if so, Raw is not nil. They reach a pipe untouched and a
// terminal like everything else.
type inBytes interface{ Raw() []byte }

// bytesResult are bytes that the user asked for.
type bytesResult []byte

func (b bytesResult) Raw() []byte { return b }

func (b bytesResult) Text(w io.Writer) error {
	_, err := w.Write(b)
	return err
}

// warn tells the user something that does not end the command.
func (a *app) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch {
	case a.flags.quiet:
	case a.flags.json:
		_ = json.NewEncoder(a.err).Encode(map[string]string{"event": "warning", "message": text})
	default:
		fmt.Fprintln(a.err, "warning: "+text)
	}
}

// printableWriter escapes control characters. Everything for the user goes through one, so that no text from a device
// can steer the terminal.
type printableWriter struct {
	mu sync.Mutex // guards w: what the device prints comes from a goroutine of its own
	w  io.Writer
}

func (p *printableWriter) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.IndexFunc(b, unprintable) < 0 {
		return p.w.Write(b)
	}
	var s strings.Builder
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&s, `\x%02x`, rest[0])
		case unprintable(r):
			q := fmt.Sprintf("%+q", r)
			s.WriteString(q[1 : len(q)-1])
		default:
			s.WriteRune(r)
		}
		rest = rest[n:]
	}
	if _, err := io.WriteString(p.w, s.String()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// unprintable reports whether r could do something else than appear: control characters, and format characters, among
// which are those that change the direction of text.
func unprintable(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// unbroken keeps a device from making lines of its own in a page or table of ours.
func unbroken(s string) string { return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s) }

// size is a number of bytes for people.
func size(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// rate is a speed for people.
func rate(n int, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f kB/s", float64(n)/d.Seconds()/1e3)
}

// span is a time for people.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
