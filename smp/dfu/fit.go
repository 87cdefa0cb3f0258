package dfu

import (
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// fit checks a target, one of several, against the device.
func fit(d device, targets []Target, index int, p position, o Options) error {
	t := targets[index]
	if len(t.hash()) == 0 {
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
	if p.fallback != nil && !p.fallback.Hash.Equal(t.hash()) && p.active != nil && !p.listed {
		return &StateError{t.Image, fmt.Sprintf("the device runs %s (%s) unconfirmed, and its other slot holds the "+
			"fallback: confirm it, or reset to go back, before an update",
			versionText(*p.active), p.active.Hash.Short())}
	}
	return nil
}

// trailerLeast is what a bootloader of any kind keeps at the end of a slot: a magic and three marks (MCUboot
// bootutil_priv.h).
const trailerLeast = 16 + 3*8

// size compares the file with the slots; empty if it fits or the device does not say.
func size(d device, t Target) string {
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
		return fmt.Sprintf("the image of %d bytes is larger than the %d bytes that the device takes",
			plain, m.MaxImageSize)
	case largest == 0:
	case whole > largest:
		return fmt.Sprintf("the file of %d bytes is larger than the slot of %d bytes", whole, largest)
	case plain+trailerLeast > largest:
		return fmt.Sprintf("the image of %d bytes leaves no room for the bootloader's %d bytes in the slot of %d bytes",
			plain, trailerLeast, largest)
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

// hashType compares the kind of hash with that of the image that runs, or of those in the slots if the device does not
// say which runs: a bootloader knows one kind. Empty if they fit, or the device lists none.
func hashType(d device, t Target) string {
	list := d.Images.Images
	if running := d.running(t.Image); running != nil {
		list = []smp.ImageState{*running}
	}
	for _, s := range list {
		if s.Image == t.Image && len(s.Hash) > 0 && len(s.Hash) != len(t.hash()) {
			return fmt.Sprintf("its hash is %s, and the device lists hashes of %d bits: its bootloader would refuse "+
				"the file",
				t.File.HashType(), 8*len(s.Hash))
		}
	}
	return ""
}

// version compares the file's version with the running one, where the outcome depends on it.
func version(d device, t Target, p position, o Options) string {
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
		return fmt.Sprintf("version %s is not higher than the running %s, and this bootloader (%s) starts the highest",
			file, running, d.Bootloader.Mode)
	case d.Bootloader.NoDowngrade && order < 0:
		return fmt.Sprintf("version %s is lower than the running %s, and the bootloader refuses to go back",
			file, running)
	}
	return ""
}

// dependencies refuses a target that the bootloader would not start for what it depends on; empty if there is none.
func (t Target) dependencies(d device, targets []Target, o Options) string {
	for _, n := range t.unmet(d, targets) {
		if !n.unknown && o.Mode != UploadOnly {
			return n.text
		}
	}
	return ""
}

// dependencyAdvice is dependencies for what is no reason to refuse: a file that is only uploaded may be the first of
// several.
func (t Target) dependencyAdvice(d device, targets []Target, o Options) string {
	for _, n := range t.unmet(d, targets) {
		if n.unknown || o.Mode == UploadOnly {
			return n.text
		}
	}
	return ""
}

// need is a dependency that is not met, or not known to be.
type need struct {
	text    string
	unknown bool // the device does not say
}

// unmet checks what a target depends on against what the device will run: the other targets, and else what it runs
// already. A bootloader leaves all images as they are unless all of this is met (MCUboot loader.c:
// boot_verify_dependencies).
func (t Target) unmet(d device, targets []Target) []need {
	var list []need
	for _, dep := range t.File.Dependencies() {
		number := int(dep.Image)
		have, known := willRun(d, targets, number)
		_, exists := d.slots(number)
		wants := fmt.Sprintf("it needs image %d in version %s or later, and ", number, dep.Minimum)
		switch {
		case known && have.CompareIgnoringBuild(dep.Minimum) >= 0:
		case known:
			list = append(list, need{text: fmt.Sprintf("%sthat is %s", wants, have)})
		case d.Slots != nil && !exists:
			list = append(list, need{text: wants + "the device has no such image"})
		default:
			list = append(list, need{wants + "the device does not say which one it has", true})
		}
	}
	return list
}

// willRun is the version of an image after the update.
func willRun(d device, targets []Target, number int) (image.Version, bool) {
	for _, t := range targets {
		if t.Image == number {
			return t.File.Header.Version, true
		}
	}
	for _, s := range d.Images.Images {
		if s.Image == number && s.Pending {
			v, err := image.ParseVersion(s.Version)
			return v, err == nil
		}
	}
	if s := d.running(number); s != nil {
		v, err := image.ParseVersion(s.Version)
		return v, err == nil
	}
	return image.Version{}, false
}
