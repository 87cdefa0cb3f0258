//go:build !windows

package failure

import "syscall"

// wordsFor has nothing to say: the system's words are ours.
func wordsFor(syscall.Errno) string { return "" }
