package main

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

// withReason adds what the bootloader said about an error.
func withReason(err error, reason string) error { return &bootloaderSaid{err, reason} }

// saidBy is what the bootloader said about an error; empty if it was not heard.
func saidBy(err error) string {
	var said *bootloaderSaid
	if errors.As(err, &said) {
		return said.reason
	}
	return ""
}

// namesOther reports whether the bootloader named another reason than the one that it has for a wrong hash or
// signature.
func namesOther(said string) bool { return said != "" && !strings.Contains(said, "is not valid") }
