package dfu

import "github.com/smpctl/smpctl/smp"

// Phase is where in a step an event happens. Every step begins, may progress, and ends as done, skipped or failed; nothing
// follows a failed one.
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
	Step    Step // zero for a Note from before the plan
	Phase   Phase
	Upload  smp.Progress // with Progress of an upload
	Text    string       // with Note and Skipped: for people
	Seconds float64      // with the end of a step: how long the step took
	Err     error        // with Failed
	Sent    int          // with Done of an upload: bytes
	Report  *Report      // with Begin of the first step: what the update starts from
}
