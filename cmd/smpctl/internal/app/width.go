package app

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Columns is how many characters a line of w may have: those of the terminal that it leads to, else what the
// environment says in COLUMNS, else 80.
func (a *App) Columns(w io.Writer) int {
	const usual = 80
	switch w { // what lies under the filters
	case a.Out:
		w = a.Bytes
	case a.Err:
		w = a.Terminal
	}
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	if text, ok := a.Env("COLUMNS"); ok {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return n
		}
	}
	return usual
}
