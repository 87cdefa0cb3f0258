//go:build !linux

package transport

import (
	"errors"
	"fmt"
	"os"
)

// OpenPTY exists on Linux only; here its error matches [errors.ErrUnsupported].
func OpenPTY() (master *os.File, name string, err error) {
	return nil, "", fmt.Errorf("open a pseudo-terminal: %w", errors.ErrUnsupported)
}
