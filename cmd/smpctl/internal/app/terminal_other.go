//go:build !windows

package app

import "os"

// takesSequences leaves it to TERM.
func takesSequences(*os.File) bool { return true }
