package app

import (
	"os"
	"runtime"

	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// columns asks a terminal how wide it is; nil if it takes no escape sequences.
func columns(f *os.File) func() int {
	if !takesSequences(f) {
		return nil
	}
	return func() int {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || height <= 0 {
			return 0
		}
		return width
	}
}

// rows asks a terminal how high it is.
func rows(f *os.File) func() int {
	return func() int {
		_, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return height
	}
}

// steerable reports whether the terminal of this environment takes escape sequences.
func steerable(env func(string) (string, bool)) bool {
	kind, _ := env("TERM")
	return kind != "dumb" && kind != "unknown" && (kind != "" || runtime.GOOS == "windows")
}

// colored reports whether the user wants colours (https://no-color.org).
func colored(env func(string) (string, bool)) bool {
	no, _ := env("NO_COLOR")
	return no == ""
}
