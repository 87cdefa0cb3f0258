package dfu

import (
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// need is a dependency that is not met, or not known to be.
type need struct {
	text    string
	unknown bool // the device does not say
}

// unmet checks what a target depends on against what the device will run: the other targets, and else what it runs already. A
// bootloader leaves all images as they are unless all of this is met (MCUboot loader.c: boot_verify_dependencies).
func (t Target) unmet(d Device, targets []Target) []need {
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
func willRun(d Device, targets []Target, number int) (image.Version, bool) {
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

// dependencies refuses a target that the bootloader would not start for what it depends on; empty if there is none.
func (t Target) dependencies(d Device, targets []Target, o Options) string {
	for _, n := range t.unmet(d, targets) {
		if !n.unknown && o.Mode != UploadOnly {
			return n.text
		}
	}
	return ""
}

// dependencyAdvice is dependencies for what is no reason to refuse: a file that is only uploaded may be the first of several.
func (t Target) dependencyAdvice(d Device, targets []Target, o Options) string {
	for _, n := range t.unmet(d, targets) {
		if n.unknown || o.Mode == UploadOnly {
			return n.text
		}
	}
	return ""
}
