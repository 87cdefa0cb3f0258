// Package bootlog understands what MCUboot prints on a device's console: which image it was asked to start, what it
// started, and above all why it refused one, which no SMP command tells.
//
// The texts are those of MCUboot 1.3 to 2.4 (boot/bootutil/src/loader.c, bootutil_public.c, image_validate.c,
// ram_load.c, swap_*.c, boot/zephyr/main.c). They are no interface: a text that is not known is no error, and a
// bootloader may be built without any.
package bootlog

import (
	"slices"
	"strings"
)

const (
	maxReasons = 4   // lines that Reason joins
	maxLine    = 256 // bytes of a line that are looked at
)

// Log follows the lines of a console, boot after boot, and remembers what the bootloader said. The zero value is ready.
// Its memory is bounded.
type Log struct {
	inside   bool     // the bootloader runs
	reasons  []string // why an image was refused, from the last boot in which one was
	fresh    bool     // reasons are of the present boot
	reverted string   // the line that announces a revert
	guess    string   // an error that is not known, from the bootloader
}

// Line takes the next line, with or without colours and line end.
func (l *Log) Line(text string) {
	e := parse(text)
	switch e.kind {
	case start:
		l.inside, l.fresh = true, false
	case application:
		l.inside = false
	case swapType:
		// An application built with MCUboot's library prints the same words.
		if l.inside && e.swap == "revert" {
			l.reverted = e.text
		}
	case refused:
		if l.inside || !e.application {
			l.refuse(e.text)
		}
	case other:
		if l.inside && e.level == 'E' {
			l.guess = e.text
		}
	}
}

func (l *Log) refuse(text string) {
	if !l.fresh {
		l.reasons, l.fresh = nil, true
	}
	if len(l.reasons) < maxReasons && !slices.Contains(l.reasons, text) {
		l.reasons = append(l.reasons, text)
	}
}

// Reason is why the bootloader did not start an image, in its own words: what it refused, else that it went back to the
// old image, else an error whose meaning is not known here. It is empty if the bootloader said none of these. Control
// characters are not in it.
func (l *Log) Reason() string {
	switch {
	case len(l.reasons) > 0:
		return strings.Join(l.reasons, "; ")
	case l.reverted != "":
		return l.reverted
	}
	return l.guess
}
