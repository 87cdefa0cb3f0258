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

// fit checks a target, one of several, against the device.
func fit(d Device, targets []Target, index int, p position, o Options) error {
	t := targets[index]
	if len(t.Hash()) == 0 {
		return &UnfitError{t.Image, "the file has no image hash"}
	}
	var problems []string
	if !p.running && !p.listed || o.Force {
		problems = append(problems, size(d, t))
	}
	if !p.running {
		problems = append(problems, hashType(d, t), version(d, t, p, o), t.dependencies(d, targets, o))
	}
	for _, text := range problems {
		if text != "" {
			return &UnfitError{t.Image, text}
		}
	}
	if p.running {
		return nil
	}
	if p.fallback != nil && !p.fallback.Hash.Equal(t.Hash()) && p.active != nil && !p.listed {
		return &StateError{t.Image, fmt.Sprintf("the device runs %s (%s) unconfirmed, and its other slot holds the fallback: confirm it, or reset to go back, before an update",
			Describe(*p.active), p.active.Hash.Short())}
	}
	return nil
}

// trailerLeast is what a bootloader of any kind keeps at the end of a slot: a magic and three marks (MCUboot bootutil_priv.h).
const trailerLeast = 16 + 3*8

// size compares the file with the slots; empty if it fits or the device does not say.
func size(d Device, t Target) string {
	if len(d.Slots) == 0 {
		return ""
	}
	m, ok := d.slots(t.Image)
	if !ok {
		return "the device has no such image"
	}
	plain, whole, largest := uint64(t.File.Size()), uint64(len(t.File.Bytes())), largestSlot(m)
	switch {
	case m.MaxImageSize > 0 && plain > m.MaxImageSize:
		return fmt.Sprintf("the image of %d bytes is larger than the %d bytes that the device takes", plain, m.MaxImageSize)
	case largest == 0:
	case whole > largest:
		return fmt.Sprintf("the file of %d bytes is larger than the slot of %d bytes", whole, largest)
	case plain+trailerLeast > largest:
		return fmt.Sprintf("the image of %d bytes leaves no room for the bootloader's %d bytes in the slot of %d bytes", plain, trailerLeast, largest)
	}
	return ""
}

func largestSlot(m smp.ImageSlots) uint64 {
	var largest uint64
	for _, s := range m.Slots {
		largest = max(largest, s.Size)
	}
	return largest
}

// hashType compares the kind of hash with that of the image that runs, or of those in the slots if the device does not say which runs: a
// bootloader knows one kind. Empty if they fit, or the device lists none.
func hashType(d Device, t Target) string {
	list := d.Images.Images
	if running := d.running(t.Image); running != nil {
		list = []smp.ImageState{*running}
	}
	for _, s := range list {
		if s.Image == t.Image && len(s.Hash) > 0 && len(s.Hash) != len(t.Hash()) {
			return fmt.Sprintf("its hash is %s, and the device lists hashes of %d bits: its bootloader would refuse the file", t.File.HashType(), 8*len(s.Hash))
		}
	}
	return ""
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
