package failure

import (
	"errors"
	"strings"
)

// bootloaderSaid is a failure that the bootloader has explained on the console.
type bootloaderSaid struct {
	error
	reason string
}

func (e *bootloaderSaid) Error() string {
	return e.error.Error() + "; the bootloader said: " + e.reason
}

func (e *bootloaderSaid) Unwrap() error { return e.error }

// WithReason adds what the bootloader said about an error.
func WithReason(err error, reason string) error { return &bootloaderSaid{err, reason} }

// SaidBy is what the bootloader said about an error; empty if it was not heard.
func SaidBy(err error) string {
	var said *bootloaderSaid
	if errors.As(err, &said) {
		return said.reason
	}
	return ""
}

// NamesOther reports whether the bootloader named another reason than the one that it has for a wrong hash or
// signature.
func NamesOther(said string) bool { return said != "" && !strings.Contains(said, "is not valid") }
