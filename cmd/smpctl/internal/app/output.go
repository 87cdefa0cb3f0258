package app

import (
	"bytes"
	"io"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// print writes the result of a command: the only place that writes to standard output.
func (a *App) print(r Result) error {
	if a.Flags.JSON {
		line, err := encode(r)
		if err == nil {
			_, err = a.Bytes.Write(line)
		}
		return err
	}
	if b, ok := r.(inBytes); ok && !a.OutTTY && b.Raw() != nil {
		_, err := a.Bytes.Write(b.Raw())
		return err
	}
	var buf bytes.Buffer
	if err := r.Text(&buf); err != nil {
		return err
	}
	text := screen.Escape(buf.String())
	if v, ok := r.(judged); ok && a.colorOut {
		first, _, _ := strings.Cut(text, "\n")
		text = v.Verdict().bold().Paint(first) + text[len(first):]
	}
	if h, ok := r.(textResult); ok && a.colorOut {
		text = h.paint(text)
	}
	_, err := io.WriteString(a.Bytes, text)
	return err
}

// judged is a result whose first line of text is a verdict, which a terminal shows so.
type judged interface{ Verdict() Mark }

// inBytes is a result that can be bytes instead of text: if so, Raw is not nil. They reach a pipe untouched and a
// terminal like everything else.
type inBytes interface{ Raw() []byte }

// BytesResult are bytes that the user asked for.
type BytesResult []byte

func (b BytesResult) Raw() []byte { return b }

func (b BytesResult) Text(w io.Writer) error {
	_, err := w.Write(b)
	return err
}
