package pack

import (
	"bytes"
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// Format is the kind of a package.
type Format string

// The formats.
const (
	Zip        Format = "zip"             // dfu_application.zip
	MultiImage Format = "dfu_multi_image" // the container of the library of that name
)

// MaxImage is the highest image number.
const MaxImage = 255

// AnySlot is the Slot of a member that does not depend on it.
const AnySlot = -1

// Package is an update package, made by [Parse] or to be written by [Package.Bytes].
type Package struct {
	Format   Format   // set by Parse; Bytes takes anything but MultiImage for Zip
	Name     string   // of the application; of a zip only, and optional there
	Version  int      // format-version of a zip's manifest
	Time     int64    // Unix time of the packing; 0 if not said
	Members  []Member // in the order of the file
	Warnings []string // what is legal but worth a word to a person, one sentence each
}

// Member is one image file of a package.
type Member struct {
	Name  string // file name without a path; made up in a dfu_multi_image container, which has none
	Image int    // number of the image on the device
	Slot  int    // the slot that it is built for, 0 or 1, or AnySlot
	Data  []byte // the file, not checked yet: see Load

	Bootloader  bool           // it replaces the bootloader itself; Slot is then that of nRF's first-stage bootloader
	LoadAddress uint64         // of the code, as the manifest says; 0 if it does not
	Version     string         // as the manifest says: the header's version is what counts
	Fields      map[string]any // everything that the manifest says; numbers are json.Number

	staged bool // started by nRF's first-stage bootloader, which has two slots of its own
}

// Is reports whether a file begins like a package of either format.
func Is(b []byte) bool { return isZip(b) || isMultiImage(b) }

// Parse reads a package of either format. It checks the container and unpacks the members, but does not look into them.
// A member's data may share memory with b, which must not be changed afterwards.
func Parse(b []byte) (*Package, error) {
	switch {
	case isZip(b):
		return parseZip(b)
	case isMultiImage(b):
		return parseMultiImage(b)
	}
	return nil, fail(ErrBadZip, "not an update package: neither a zip archive nor a dfu_multi_image container")
}

// Load reads the member as an image.
func (m Member) Load() (*image.Image, error) { return image.Load(m.Data) }

// Differs says what the manifest says otherwise than the image, a sentence each. The image is what counts.
func (m Member) Differs(img *image.Image) []string {
	var list []string
	if said, err := image.ParseVersion(m.Version); m.Version != "" && (err != nil || said != img.Header.Version) {
		list = append(list,
			fmt.Sprintf("the manifest says version %s, the image is %s", quote(m.Version), img.Header.Version))
	}
	fixed := img.Header.Flags&image.FlagROMFixed != 0 && m.LoadAddress != 0
	slot := uint64(img.Header.LoadAddr)
	if code := slot + uint64(img.Header.HeaderSize); fixed && m.LoadAddress != code && m.LoadAddress != slot {
		list = append(list,
			fmt.Sprintf("the manifest says address %#x, the image is linked for the slot at %#x", m.LoadAddress, slot))
	}
	return list
}

// Bytes writes the package in its format: the same members give the same bytes. It checks what [Parse] would refuse to
// read.
func (p *Package) Bytes() ([]byte, error) {
	var b []byte
	var err error
	if p.Format == MultiImage {
		b, err = p.multiImage()
	} else {
		b, err = p.zip()
	}
	if err != nil {
		return nil, err
	}
	back, err := Parse(b)
	if err != nil {
		return nil, err
	}
	for i, m := range back.Members {
		if w := p.Members[i]; m.Image != w.Image || m.Slot != w.Slot || !bytes.Equal(m.Data, w.Data) {
			return nil, fail(ErrBadBuild, "%s reads back differently", quote(w.Name))
		}
	}
	return b, nil
}
