package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// print writes the result of a command: the only place that writes to standard output.
func (a *App) print(r Result) error {
	var buf bytes.Buffer
	if b, ok := r.(inBytes); ok && !a.Flags.JSON && !a.OutTTY && b.Raw() != nil {
		_, err := a.Bytes.Write(b.Raw())
		return err
	}
	if a.Flags.JSON {
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			return err
		}
	} else if err := r.Text(&buf); err != nil {
		return err
	}
	_, err := a.Out.Write(buf.Bytes())
	return err
}

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

// Warn tells the user something that does not end the command.
func (a *App) Warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.warnings.add(text)
	switch {
	case a.Flags.Quiet:
	case a.Flags.JSON:
		_ = json.NewEncoder(a.Err).Encode(map[string]string{"event": "warning", "message": text})
	default:
		fmt.Fprintln(a.Err, "warning: "+text)
	}
}
