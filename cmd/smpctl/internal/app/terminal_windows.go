package app

import (
	"os"

	"golang.org/x/sys/windows"
)

// takesSequences has a console take escape sequences, which those before Windows 10 cannot.
func takesSequences(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
