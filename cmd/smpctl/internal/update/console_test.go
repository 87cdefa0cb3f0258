package update

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
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
			err = failure.WithReason(err, tt.said)
		}
		got := failure.Hint(failure.KindNotRunning, err, failure.Situation{})
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s, %q: hint %q, want %q in it", tt.reason, tt.said, got, tt.want)
		}
	}
}

// TestConsoleOnlyIfAsked listens without --console and without -p: nothing is shown and nothing is in the result,
// although both are empty.
func TestConsoleOnlyIfAsked(t *testing.T) {
	for _, json := range []bool{false, true} {
		var errs clitest.LockedBuffer
		a := &app.App{Streams: app.Streams{Err: &errs}}
		a.Flags.JSON = json
		a.News = &screen.Display{W: &errs}
		d := &device.Device{App: a}
		c, err := listen(t.Context(), a, d, "")
		if err != nil {
			t.Fatal(err)
		}
		d.Settings.Transport.Text([]byte("*** Booting MCUboot ***\n"))
		heard, _ := c.explain(nil)
		if errs.String() != "" || len(heard.Console) > 0 {
			t.Errorf("JSON %v: shown: %q, in the result: %q", json, errs.String(), heard.Console)
		}
		if d.Settings.Transport.KeepInput {
			t.Error("what the port had received before is kept")
		}
	}
}

// TestConsoleIsOff: none of the commands that have --console shows the console unless it is asked to.
func TestConsoleIsOff(t *testing.T) {
	a := &app.App{}
	for _, cmd := range []*cobra.Command{upgradeCommand(a), recoverCommand(a), resetCommand(a)} {
		if f := cmd.Flags().Lookup(app.ConsoleFlag); f == nil || f.DefValue != "" || f.Value.String() != "" {
			t.Errorf("%s: --console is %+v", cmd.Name(), f)
		}
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
		if !errors.Is(got, err) || (failure.SaidBy(got) != "") != explains || (heard.Reason != "") != explains {
			t.Errorf("%v: got %v, %+v, want the words of the bootloader: %t", err, got, heard, explains)
		}
		if wantLines := errors.Is(err, refused); (len(heard.Console) == 2) != wantLines {
			t.Errorf("%v: got lines %q, want them: %t", err, heard.Console, wantLines)
		}
	}
}

// TestListenerKeepsTheReason floods a listener: the result stays small, and the bootloader's word is not lost.
func TestListenerKeepsTheReason(t *testing.T) {
	var b strings.Builder
	b.WriteString("I: Starting bootloader\r\nE: Image in the secondary slot is not valid!\r\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "D: mutex %d\r\nI: line %d\r\n", i, i)
	}
	l := newListener(nil)
	l.text.Put([]byte(b.String() + "last"))
	l.text.Close()
	l.hear()
	if got, want := l.log.Reason(), "Image in the secondary slot is not valid!"; got != want {
		t.Errorf("reason: got %q, want %q", got, want)
	}
	if n := len(l.kept); n != keptLines || l.kept[n-1] != "last" || l.kept[n-2] != "I: line 999" {
		t.Errorf("kept %d lines, the last %q, want %d up to the last one, without debugging",
			n, l.kept[n-2:], keptLines)
	}
}
