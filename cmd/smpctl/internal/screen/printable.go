package screen

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
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
	if _, err := io.WriteString(p.W, Escape(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Escape is s with what could steer a terminal written as Go writes it. Line ends and tabs stay.
func Escape(s string) string {
	return escape(s, func(b *strings.Builder, r rune, bytes string) {
		if r == utf8.RuneError && len(bytes) == 1 {
			fmt.Fprintf(b, `\x%02x`, bytes[0])
			return
		}
		q := fmt.Sprintf("%+q", r)
		b.WriteString(q[1 : len(q)-1])
	})
}

// EscapeJSON does so with a JSON text, in which Go's escapes would be errors. What the text means stays the same.
func EscapeJSON(text string) string {
	return escape(text, func(b *strings.Builder, r rune, _ string) {
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
			return
		}
		fmt.Fprintf(b, `\u%04x`, r)
	})
}

// escape has write put what is unprintable: a character, and the bytes that it came as.
func escape(s string, write func(b *strings.Builder, r rune, bytes string)) string {
	if strings.IndexFunc(s, Unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if Unprintable(r) {
			write(&b, r, s[:n])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Unprintable reports whether r could do something else than appear: control characters, and format characters, among
// which are those that change the direction of text.
func Unprintable(r rune) bool {
	if r == '\n' || r == '\t' || r >= ' ' && r <= '~' { // nearly all there is
		return false
	}
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// Unbroken keeps a device from making lines of its own in a page or table of ours.
func Unbroken(s string) string {
	if !strings.ContainsAny(s, "\n\t") {
		return s
	}
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s)
}
