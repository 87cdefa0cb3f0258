//go:build unix

package monitor

import (
	"os/signal"
	"syscall"
)

// readsInBackground has a read from the terminal fail in a background process, which the system would stop otherwise.
func readsInBackground() { signal.Ignore(syscall.SIGTTIN) }
