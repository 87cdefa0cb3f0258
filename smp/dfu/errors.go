package dfu

import (
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// ErrNotBack says that the device did not answer again in time: after a reset, or after its connection ended. The last
// attempt's error is in the chain too.
var ErrNotBack = errors.New("the device did not come back")

var errNoImage = errors.New("update: no image")

// UnfitError says that a file cannot work on this device; nothing was sent.
type UnfitError struct {
	Image   int    // number of the image
	Problem string // for people
}

// Error names the image number and the problem.
func (e *UnfitError) Error() string { return fmt.Sprintf("image %d: %s", e.Image, e.Problem) }

// StateError says that the device is in a state in which an update cannot begin or go on, or a request was not sent.
type StateError struct {
	Image   int    // number of the image; 0 if it is about the device
	Problem string // for people
}

// Error names the image number and the problem.
func (e *StateError) Error() string { return fmt.Sprintf("image %d: %s", e.Image, e.Problem) }

// BootloaderError says that the bootloader could not be reached because the application answers. Nothing was changed.
type BootloaderError struct {
	Asked bool // the application was asked to reboot into the bootloader, and came back
}

// Error says which of the two it is.
func (e *BootloaderError) Error() string {
	if e.Asked {
		return "the application runs again instead of the bootloader: boot mode 1 has no effect on this device"
	}
	return "the application answers, not the bootloader"
}

// UndoneError says that a device answered a request with success, and that its image list does not show it done.
type UndoneError struct {
	Request Request
	Problem string // what the list shows instead; completes "the device answered with success, but …"
}

// Error says what the list shows instead.
func (e *UndoneError) Error() string { return "the device answered with success, but " + e.Problem }

// Reason says why the new image does not run for good, as far as the device shows it.
type Reason string

// The reasons.
const (
	Rejected          Reason = "rejected"       // the bootloader did not start it: it is gone from its slot
	RevertedOrRefused Reason = "reverted"       // reverted, or never started: it is in its slot, or ran before
	CheckFailed       Reason = "check-failed"   // the caller's check failed, and the old image runs again
	CheckReset        Reason = "check-reset"    // the check passed, and during it the bootloader reverted
	NoReset           Reason = "no-reset"       // the device was asked to reset and did not
	InBootloader      Reason = "in-bootloader"  // no image runs: the device stays in its bootloader
	NotConfirmed      Reason = "not-confirmed"  // it runs, but the device does not say that it stays
	OtherSelected     Reason = "other-selected" // it runs, but the device lists another image for the next boot
	Contradicts       Reason = "contradiction"  // the device lists several images of one number as running
	NotShown          Reason = "not-shown"      // an application answers, but does not say what runs
	OtherRuns         Reason = "other-image"    // the bootloader started another image

	// NotListed: the device has all of it and does not list it. Serial recovery lists no image that it does not accept.
	NotListed Reason = "not-listed"
)

// NotRunningError says that all steps were taken and the device does not run the new image for good, or does not say
// so.
type NotRunningError struct {
	Reason  Reason
	Image   int             // number of the image
	Wanted  smp.Hash        // of the new image
	Running *smp.ImageState // nil if no image runs
	Err     error           // of the check; nil otherwise
}

// reasonText completes the sentence that begins with what the device does not do.
var reasonText = map[Reason]string{
	Rejected:          "the bootloader rejected it (signature, key, version or dependency)",
	RevertedOrRefused: "the bootloader reverted to the old one or refused to start it",
	CheckReset:        "the check passed, but during it the device was reset and went back to the old one",
	NoReset:           "it was asked to reset, but keeps running",
	InBootloader:      "it answers from its bootloader after the reset",
	NotListed:         "as bootloaders do with images that they do not accept (damaged, or signed with another key)",
	OtherRuns:         "the bootloader started another one",
	NotConfirmed:      "but does not list it as confirmed: the next reset may bring the old one back",
	OtherSelected:     "but has another one selected for the next boot",
	Contradicts:       "it lists several running images of that number, so nobody can tell which it is",
	NotShown:          "an application answers, but does not list what runs",
}

// Error says what the device runs and why, as far as it can be known.
func (e *NotRunningError) Error() string {
	wanted, why := e.Wanted.Short(), reasonText[e.Reason]
	if e.Reason == CheckFailed {
		why = fmt.Sprintf("the check failed (%v), and the old one runs again", e.Err)
	}
	switch e.Reason {
	case NotConfirmed, OtherSelected:
		return fmt.Sprintf("the device runs the new image %s, %s", wanted, why)
	case NotListed:
		return fmt.Sprintf("the device took all of the new image %s and does not list it, %s", wanted, why)
	case Contradicts, NotShown:
		return fmt.Sprintf("the device does not say that it runs the new image %s: %s", wanted, why)
	}
	s := fmt.Sprintf("the device does not run the new image %s: %s", wanted, why)
	if e.Running != nil {
		s += fmt.Sprintf("; running: %s (%s)", versionText(*e.Running), e.Running.Hash.Short())
	}
	return s
}

// Unwrap gives the error of the check, if that is the reason.
func (e *NotRunningError) Unwrap() error { return e.Err }

// versionText is the version of a listed image for people, safe for a terminal.
func versionText(s smp.ImageState) string {
	if v, err := image.ParseVersion(s.Version); err == nil {
		return v.String()
	}
	return fmt.Sprintf("%q", s.Version)
}
