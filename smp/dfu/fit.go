package dfu

import (
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// UnfitError says that a file cannot work on this device; nothing was sent.
type UnfitError struct {
	Image   int
	Problem string
}

// Error names the image number and the problem.
func (e *UnfitError) Error() string { return fmt.Sprintf("image %d: %s", e.Image, e.Problem) }

// StateError says that the device is in a state in which the update cannot begin; nothing was changed.
type StateError struct {
	Image   int
	Problem string
}

// Error names the image number and the problem.
func (e *StateError) Error() string { return fmt.Sprintf("image %d: %s", e.Image, e.Problem) }

// fit checks a target against the device.
func fit(d Device, t Target, p position, o Options) error {
	unfit := func(format string, args ...any) error {
		return &UnfitError{t.Image, fmt.Sprintf(format, args...)}
	}
	if len(t.Hash()) == 0 {
		return unfit("the file has no image hash")
	}
	if !p.running && !p.listed || o.Force {
		if problem := size(d, t); problem != "" {
			return unfit("%s", problem)
		}
	}
	if p.running {
		return nil
	}
	if problem := version(d, t, p, o); problem != "" {
		return unfit("%s", problem)
	}
	if p.fallback != nil && !p.fallback.Hash.Equal(t.Hash()) && p.active != nil && !p.listed {
		return &StateError{t.Image, fmt.Sprintf("the device runs %s (%s) unconfirmed, and its other slot holds the fallback: confirm it, or reset to go back, before an update",
			Describe(*p.active), p.active.Hash.Short())}
	}
	return nil
}

// size compares the file with the slots; empty if it fits or the device does not say.
func size(d Device, t Target) string {
	if len(d.Slots) == 0 {
		return ""
	}
	for _, m := range d.Slots {
		if m.Image != t.Image {
			continue
		}
		plain, whole := uint64(t.File.Size()), uint64(len(t.File.Bytes()))
		if m.MaxImageSize > 0 && plain > m.MaxImageSize {
			return fmt.Sprintf("the image of %d bytes is larger than the %d bytes that the device takes", plain, m.MaxImageSize)
		}
		var largest uint64
		for _, s := range m.Slots {
			largest = max(largest, s.Size)
		}
		if largest > 0 && whole > largest {
			return fmt.Sprintf("the file of %d bytes is larger than the slot of %d bytes", whole, largest)
		}
		return ""
	}
	return "the device has no such image"
}

// version compares the file's version with the running one, where the outcome depends on it.
func version(d Device, t Target, p position, o Options) string {
	if p.active == nil {
		return ""
	}
	running, err := image.ParseVersion(p.active.Version)
	if err != nil {
		return ""
	}
	file := t.File.Header.Version
	order := file.CompareIgnoringBuild(running)
	switch {
	case o.UpgradeOnly && order <= 0:
		return fmt.Sprintf("version %s is not newer than the running %s", file, running)
	case o.Mode == UploadOnly:
		return ""
	case bootsNewest(d.Bootloader.Mode) && order <= 0:
		return fmt.Sprintf("version %s is not higher than the running %s, and this bootloader (%s) starts the highest", file, running, d.Bootloader.Mode)
	case d.Bootloader.NoDowngrade && order < 0:
		return fmt.Sprintf("version %s is lower than the running %s, and the bootloader refuses to go back", file, running)
	}
	return ""
}

// Describe is the version of a slot for people, safe for a terminal.
func Describe(s smp.ImageState) string {
	if v, err := image.ParseVersion(s.Version); err == nil {
		return v.String()
	}
	return fmt.Sprintf("%q", s.Version)
}
