package dfu

import (
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

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

// Version names an image by version and hash.
type Version struct {
	Version string
	Hash    smp.Hash
}

// Change is what an update means for one image.
type Change struct {
	Image    int
	File     *image.Image // that is for the device
	From, To Version      // From is empty if the device does not say
	Now      Version      // what runs, as last read; empty if the device does not say
}

// versionOf names what a slot holds; nil is nothing.
func versionOf(s *smp.ImageState) Version {
	if s == nil {
		return Version{}
	}
	return Version{Describe(*s), s.Hash}
}

// Timing is how long a step took.
type Timing struct {
	Step    Action
	Seconds float64
}

// Report says what an update did.
type Report struct {
	Result   Result
	From     Version          // what ran before; of the first target's image number
	To       Version          // the first target
	Images   []Change         // each target
	Plan     []Step           // the last one, if a trial was begun again
	Steps    []Timing         // that were done
	Upload   smp.UploadResult // the last one
	Listed   bool             // of [Recover]: the bootloader lists every target
	Warnings []string         // what may go wrong, and what is unusual, before the first step
	Found    smp.Firmware     // what answered when [Run] began
	Before   smp.ImageList    // as the update found it
	After    smp.ImageList    // as last read
	Seconds  float64
}
