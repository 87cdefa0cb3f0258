//go:build !linux

// Package pty makes pseudo-terminals that behave like serial ports, for virtual devices and tests, on Linux only.
package pty

import (
	"errors"
	"fmt"
	"os"
)

// Open exists on Linux only; here its error matches [errors.ErrUnsupported].
func Open() (master *os.File, name string, err error) {
	return nil, "", fmt.Errorf("open a pseudo-terminal: %w", errors.ErrUnsupported)
}
