package dfu

import (
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// Reason says why the new image does not run, as far as the device shows it.
type Reason string

// The reasons.
const (
	Rejected      Reason = "rejected"       // the bootloader did not start it: it is gone from its slot
	WentBack      Reason = "reverted"       // the bootloader went back, or never started it: it is still in its slot, or ran before
	CheckFailed   Reason = "check-failed"   // the caller's check failed, and the old image runs again
	CheckReset    Reason = "check-reset"    // the check passed, and during it the bootloader went back
	NoReset       Reason = "no-reset"       // the device was asked to reset and did not
	InBootloader  Reason = "in-bootloader"  // no image runs: the device stays in its bootloader
	NotConfirmed  Reason = "not-confirmed"  // it runs, but the device does not say that it stays
	OtherSelected Reason = "other-selected" // it runs, but the device lists another image for the next boot
	Contradicts   Reason = "contradiction"  // the device lists several images of one number as running
	NotShown      Reason = "not-shown"      // an application answers, but does not say what runs
	NotListed     Reason = "not-listed"     // the device has all of it and does not list it: serial recovery lists no image that it does not accept
	OtherRuns     Reason = "other-image"    // the bootloader started another image
)

// NotRunningError says that all steps were taken and the device does not run the new image for good, or does not say
// so.
type NotRunningError struct {
	Reason  Reason
	Image   int
	Wanted  smp.Hash
	Running *smp.ImageState // nil if no image runs
	Err     error           // of the check; nil otherwise
}

// reasonText completes the sentence that begins with what the device does not do.
var reasonText = map[Reason]string{
	Rejected:      "the bootloader rejected it (signature, key, version or dependency)",
	WentBack:      "the bootloader reverted to the old one or refused to start it",
	CheckReset:    "the check passed, but during it the device was reset and went back to the old one",
	NoReset:       "it was asked to reset, but keeps running",
	InBootloader:  "it answers from its bootloader after the reset",
	NotListed:     "as bootloaders do with images that they do not accept (damaged, or signed with another key)",
	OtherRuns:     "the bootloader started another one",
	NotConfirmed:  "but does not list it as confirmed: the next reset may bring the old one back",
	OtherSelected: "but has another one selected for the next boot",
	Contradicts:   "it lists several running images of that number, so nobody can tell which it is",
	NotShown:      "an application answers, but does not list what runs",
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
		s += fmt.Sprintf("; running: %s (%s)", Describe(*e.Running), e.Running.Hash.Short())
	}
	return s
}

// Unwrap gives the error of the check, if that is the reason.
func (e *NotRunningError) Unwrap() error { return e.Err }

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
