package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
	"go.uber.org/goleak"
)

// TestHintGoesByWhatTheBootloaderSaid keeps the signature out of it when the reason is another one.
func TestHintGoesByWhatTheBootloaderSaid(t *testing.T) {
	tests := []struct {
		reason dfu.Reason
		said   string
		want   string // part of the hint; empty: no hint
	}{
		{dfu.Rejected, "", "another signing key"},
		{dfu.Rejected, "Image in the secondary slot is not valid!", "another signing key"},
		{dfu.Rejected, "Image 0 in slot 1 erased due to downgrade prevention", ""},
		{dfu.RevertedOrRefused, "", "its console says which"},
		{dfu.RevertedOrRefused, "Image index: 0, Swap type: revert", "was started, and crashed"},
		{dfu.InBootloader, "Unable to find bootable image", "smpctl recover"},
	}
	for _, tt := range tests {
		var err error = &dfu.NotRunningError{Reason: tt.reason}
		if tt.said != "" {
			err = withReason(err, tt.said)
		}
		got := hintFor(kindNotRunning, err, situation{})
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s, %q: hint %q, want %q in it", tt.reason, tt.said, got, tt.want)
		}
	}
}

// TestConsoleEnds resets a device with its console on each kind of port, and leaves nothing behind.
func TestConsoleEnds(t *testing.T) {
	_, address := serveDevice(t, sim.Options{Console: true, BootTime: time.Millisecond})
	board, second := serveDevice(t, sim.Options{Console: true, BootTime: time.Millisecond})
	for _, a := range []string{address, second} { // once they answer, all of their goroutines are there
		if got := runLine(t, "-p", a, "echo", "hello"); got.code != 0 {
			t.Fatalf("echo: got %+v", got)
		}
	}
	before := goleak.IgnoreCurrent()
	for _, where := range []string{"", "=" + second, "=" + address} {
		if where == "="+second {
			time.AfterFunc(500*time.Millisecond, board.Reset)
		}
		got := runLine(t, "-p", address, "reset", "--console"+where)
		if got.code != 0 || !strings.Contains(got.err, "console   *** Booting Zephyr") {
			t.Errorf("--console%s: got %+v, want 0 and the boot", where, got)
		}
		// it reset
		goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/smpctl/smpctl/smp/sim.(*Device).serve"))
	}
}

// TestConsoleExplains adds the bootloader's words to errors that they explain, and to no other.
func TestConsoleExplains(t *testing.T) {
	refused := &dfu.NotRunningError{Reason: dfu.Rejected}
	for _, err := range []error{nil, errors.New("other"), refused, dfu.ErrNotBack} {
		c := &console{shared: newListener(nil), cancel: func() {}}
		c.work.Go(c.shared.hear)
		c.shared.text.Put([]byte("I: Starting bootloader\r\nE: Image in the secondary slot is not valid!\r\n"))
		heard, got := c.explain(err)
		explains := errors.Is(err, refused) || errors.Is(err, dfu.ErrNotBack)
		if !errors.Is(got, err) || (saidBy(got) != "") != explains || (heard.Reason != "") != explains {
			t.Errorf("%v: got %v, %+v, want the words of the bootloader: %t", err, got, heard, explains)
		}
		if wantLines := errors.Is(err, refused); (len(heard.Console) == 2) != wantLines {
			t.Errorf("%v: got lines %q, want them: %t", err, heard.Console, wantLines)
		}
	}
}
