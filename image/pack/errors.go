package pack

import (
	"fmt"

	"github.com/smpctl/smpctl/image"
)

// Faults of an archive.
const (
	ErrBadZip        image.Kind = "bad-zip"          // not a readable zip archive
	ErrTooManyFiles  image.Kind = "too-many-files"   // more files than any update has
	ErrTooLarge      image.Kind = "package-too-big"  // unpacks to more than 64 MiB, or to far more than it takes packed
	ErrUnsafeName    image.Kind = "unsafe-name"      // a name that leads elsewhere, or none for a file
	ErrDuplicateName image.Kind = "duplicate-name"   // two files of the same name, letter case aside
	ErrNotAFile      image.Kind = "not-a-file"       // a symbolic link or a device
	ErrEncryptedZip  image.Kind = "encrypted-zip"    // with a password
	ErrZipMethod     image.Kind = "zip-method"       // neither stored nor deflated
	ErrMemberDamaged image.Kind = "member-damaged"   // checksum or compressed data do not fit
	ErrNoManifest    image.Kind = "no-manifest"      // no manifest.json at the top level
	ErrBadManifest   image.Kind = "bad-manifest"     // not JSON, or without what it must say
	ErrMemberMissing image.Kind = "member-missing"   // the manifest names a file that is not there
	ErrMemberSize    image.Kind = "member-size"      // a file is not as long as the manifest says
	ErrSameImage     image.Kind = "same-image-twice" // two files for one image, and nothing tells them apart
)

// Faults of a dfu_multi_image container.
const (
	ErrBadContainer  image.Kind = "bad-container"  // the header is not what the format says
	ErrContainerSize image.Kind = "container-size" // the images and the file are not equally long
)

// ErrBadBuild says that members cannot be written as a package.
const ErrBadBuild image.Kind = "bad-package-content"

func fail(k image.Kind, format string, args ...any) error {
	return &image.Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}
