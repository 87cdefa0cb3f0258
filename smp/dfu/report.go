package dfu

import (
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// Report says what an update, a recovery or a reboot found and did. It belongs to the caller, and is valid, as far as
// it goes, also with an error.
type Report struct {
	Result   Result
	Images   []ImageReport    // one for each target, in the order of the targets
	Plan     []Step           // what was to be done; the last plan, if the update was repeated
	Steps    []Step           // what was done, and how long each step took
	Upload   smp.UploadResult // of the last upload
	Listed   bool             // of [Recover]: the bootloader lists every target
	Warnings []string         // what may go wrong, and what is unusual, before the first step; for people
	Found    smp.Firmware     // what answered when [Run] began
	Before   smp.ImageList    // as the device listed its images when the plan was made
	After    smp.ImageList    // as it listed them last
	Took     time.Duration    // from the call to its end
}

// ImageReport is what an update means for one image of the device.
type ImageReport struct {
	Image int             // number of the image on the device
	File  *image.Image    // that was chosen for the device
	From  *smp.ImageState // what ran before, of a recovery what was in the slot; nil if the device does not say
	Now   *smp.ImageState // what runs, as last listed; nil if the device does not say
}

// Result is the outcome of an update.
type Result string

// The results. With an error they say what the device does instead of what was asked for.
const (
	Confirmed          Result = "confirmed"           // the new image runs and stays
	RunningUnconfirmed Result = "running-unconfirmed" // the new image runs until the next reset
	Uploaded           Result = "uploaded"            // the new image is in its slot
	AlreadyRunning     Result = "already-running"     // the new image ran before, and stays: nothing was booted
	Reverted           Result = "reverted"            // the old image runs
	Recovered          Result = "recovered"           // serial recovery took the new image, and the application runs it
	NotRunning         Result = "not-running"         // the new image is on the device, but the device does not run it

	// Unverified says that everything was done, and that nothing shows what came of it. It is no error where the device
	// lacks the means to tell, and one where it could tell and does not, or contradicts itself.
	Unverified Result = "unverified"
)

// Action is a kind of step, and of [Request].
type Action string

// The actions, in the order in which an update takes them.
const (
	Enter         Action = "enter"          // wait until the bootloader answers; of [Recover]
	Clear         Action = "clear"          // erase the slot of another image that the next boot would start
	Upload        Action = "upload"         // send an image, and find its hash in the device's list
	MarkTest      Action = "test"           // have an image booted once, at the next reset
	MarkPermanent Action = "mark-permanent" // have an image booted at the next reset, and kept
	Reset         Action = "reset"          // reset the device, and wait until it answers again
	Verify        Action = "verify"         // see that the new image is the one that runs
	Check         Action = "check"          // run [Options.Check]
	Confirm       Action = "confirm"        // keep the running image, and see that the device says so
	Erase         Action = "erase"          // empty a slot; of a [Request] only
)

// Step is one step of a plan.
type Step struct {
	Action Action
	Target int           // index of the target that it is for; -1 for a step of the whole device
	Took   time.Duration // of a step that has ended; else 0
}

// allTargets marks a step of the whole device.
const allTargets = -1

// Phase is where in a step an event happens. Every step begins, may progress, and ends as done, skipped or failed;
// nothing follows a failed one.
type Phase string

// The phases.
const (
	Begin    Phase = "begin"
	Progress Phase = "progress"
	Note     Phase = "note" // something worth saying, which does not end the step
	Done     Phase = "done"
	Skipped  Phase = "skipped" // it turned out that the device does not need it
	Failed   Phase = "failed"
)

// Event is the news of an update.
type Event struct {
	Step   Step // zero for a Note from before the plan; with the end of a step it says how long that took
	Phase  Phase
	Upload smp.Progress // with Progress of an upload
	Text   string       // with Note and Skipped: for people
	Err    error        // with Failed
	Report *Report      // with Begin of the first step: what the update starts from; to be read until it ends
}
