package screen

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Printable escapes control characters. Everything for the user goes through one, so that no text from a device
// can steer the terminal.
type Printable struct {
	mu sync.Mutex // guards w: what the device prints comes from a goroutine of its own
	W  io.Writer
}

func (p *Printable) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.IndexFunc(b, Unprintable) < 0 {
		return p.W.Write(b)
	}
	var s strings.Builder
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&s, `\x%02x`, rest[0])
		case Unprintable(r):
			q := fmt.Sprintf("%+q", r)
			s.WriteString(q[1 : len(q)-1])
		default:
			s.WriteRune(r)
		}
		rest = rest[n:]
	}
	if _, err := io.WriteString(p.W, s.String()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Unprintable reports whether r could do something else than appear: control characters, and format characters, among
// which are those that change the direction of text.
func Unprintable(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// Unbroken keeps a device from making lines of its own in a page or table of ours.
func Unbroken(s string) string { return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s) }
