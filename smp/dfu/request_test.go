package dfu_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// TestAskOddDevice is every way to answer a request with success, of a device that is told what to list.
func TestAskOddDevice(t *testing.T) {
	const ab, marked = "0.0 A active confirmed, 0.1 B", "0.0 A active confirmed, 0.1 B pending"
	list := func(text string) *smp.ImageList { l := listOf(t, text); return &l }
	for _, tt := range []struct {
		name string
		q    dfu.Request
		odd  oddState
		want string // the word, or the type of the error
		sent []string
	}{
		{"the answer shows it", testB, oddState{before: *list(ab), answer: list(marked), listFails: true}, "done",
			[]string{"test"}},
		{"a list after it shows it", testB, oddState{before: *list(ab), after: *list(marked)}, "done",
			[]string{"test"}},
		{"the answer is a list from before", testB,
			oddState{before: *list(ab), answer: list(ab), after: *list(marked)}, "done", []string{"test"}},
		{"nothing shows it", testB, oddState{before: *list(ab), answer: list(ab), after: *list(ab)}, "*dfu.UndoneError",
			[]string{"test"}},
		{"no list shows it", testB, oddState{before: *list(ab), listFails: true}, "*smp.DeviceError", []string{"test"}},
		{"refused", testB, oddState{before: *list(ab), refuses: 28, after: *list(ab)}, "*smp.DeviceError",
			[]string{"test"}},
		{"erased", eraseFree, oddState{before: *list(ab), after: *list("0.0 A active confirmed")}, "done",
			[]string{"erase"}},
		{"not erased", eraseFree, oddState{before: *list(ab), after: *list(ab)}, "*dfu.UndoneError", []string{"erase"}},
		{"confirmed", confirmItself,
			oddState{before: *list("0.0 A active"), after: *list("0.0 A active confirmed")}, "done",
			[]string{"confirm"}},
		{"restarted before the confirm", confirmItself,
			oddState{before: *list("0.0 B active, 0.1 A confirmed"), answer: list("0.0 A active confirmed, 0.1 B"),
				after: *list("0.0 A active confirmed, 0.1 B")},
			"*dfu.UndoneError", []string{"confirm"}},

		// The bootloader marks slot 1, whatever the request means.
		{"confirm in the bootloader", confirmItself,
			oddState{bootloader: true, before: *list("0.0 A active, 0.1 B confirmed")}, "*dfu.StateError", nil},
		{"test of slot 0 in the bootloader", testB,
			oddState{bootloader: true, before: *list("0.0 B active, 0.1 A confirmed")}, "*dfu.StateError", nil},
		{"confirm of slot 0 in the bootloader", confirmB,
			oddState{bootloader: true, before: *list("0.0 B active, 0.1 A confirmed")}, "*dfu.StateError", nil},
		{"confirm of slot 1 in the bootloader", confirmB,
			oddState{bootloader: true, before: *list("0.0 A active confirmed, 0.1 B"),
				answer: list("0.0 A confirmed, 0.1 B pending permanent")},
			"done, with a doubt", []string{"confirm by hash"}},
		{"a mark from before in the bootloader", testB,
			oddState{bootloader: true, before: *list("0.0 A confirmed, 0.1 B pending"),
				answer: list("0.0 A confirmed, 0.1 B pending")},
			"done before, with a doubt", []string{"test"}},
		{"a mark from before", testB, oddState{before: *list(marked), answer: list(marked)}, "done before",
			[]string{"test"}},
		{"a bootloader that answers with its list", testB,
			oddState{bootloader: true, before: *list("0.0 A, 0.1 B"), answer: list("0.0 A, 0.1 B"),
				after: *list("0.0 A, 0.1 B")},
			"*dfu.UndoneError", []string{"test"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := smp.NewClient(newOddLink(tt.odd.reply), smp.Options{})
				defer c.Close()
				answer, err := tt.q.Do(t.Context(), c)
				got := "done"
				if answer.Unchanged {
					got = "done before"
				}
				if answer.Note != "" {
					got += ", with a doubt"
				}
				if err != nil {
					got = kindOf(err)
				}
				if got != tt.want || !slices.Equal(tt.odd.sent, tt.sent) {
					t.Errorf("Do = %s (%v) after %q, want %s after %q", got, err, tt.odd.sent, tt.want, tt.sent)
				}
			})
		})
	}
}

func kindOf(err error) string {
	var undone *dfu.UndoneError
	var state *dfu.StateError
	var refused *smp.DeviceError
	switch {
	case errors.As(err, &undone):
		return "*dfu.UndoneError"
	case errors.As(err, &state):
		return "*dfu.StateError"
	case errors.As(err, &refused):
		return "*smp.DeviceError"
	}
	return fmt.Sprintf("%T", err)
}
