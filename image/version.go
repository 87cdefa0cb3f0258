package image

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

const versionSize = 8 // bytes in a header and in a dependency

// Version is the version in an image header (MCUboot image.h, struct
// image_version).
type Version struct {
	Major, Minor uint8  // the first two parts
	Revision     uint16 // the third
	Build        uint32 // behind the "+"
}

// ParseVersion reads "1", "1.2", "1.2.3", "1.2.3+4", and "1.2.3.4", the form in
// which devices report a build number. Parts that are left out are 0. Leading
// zeros, signs, a "v" in front and suffixes such as "-rc1" are errors of kind
// [ErrBadVersion].
func ParseVersion(s string) (Version, error) {
	base, build, plus := strings.Cut(s, "+")
	parts := strings.Split(base, ".")
	if plus {
		if len(parts) != 3 {
			return Version{}, badVersion(s, "a build number needs major.minor.revision before it")
		}
		parts = append(parts, build)
	}
	bits := [...]int{8, 8, 16, 32}
	if len(parts) > len(bits) {
		return Version{}, badVersion(s, "more than four numbers")
	}
	var n [len(bits)]uint64
	for i, p := range parts {
		if len(p) > 1 && p[0] == '0' {
			return Version{}, badVersion(s, "a number with a leading zero")
		}
		var err error
		if n[i], err = strconv.ParseUint(p, 10, bits[i]); err != nil {
			return Version{}, badVersion(s, fmt.Sprintf("part %d is not a number up to %d", i+1, uint64(1)<<bits[i]-1))
		}
	}
	return Version{Major: uint8(n[0]), Minor: uint8(n[1]), Revision: uint16(n[2]), Build: uint32(n[3])}, nil
}

// String returns all four parts as imgtool writes them: "1.2.3+4".
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d+%d", v.Major, v.Minor, v.Revision, v.Build)
}

func (v Version) withoutBuild() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Revision) }

// Compare orders versions by major, minor, revision and build. It returns -1, 0
// or +1 for v older than, equal to or newer than o.
func (v Version) Compare(o Version) int {
	return cmp.Or(v.CompareIgnoringBuild(o), cmp.Compare(v.Build, o.Build))
}

// CompareIgnoringBuild is [Version.Compare] without the build number. This is
// what a bootloader does that was built without MCUBOOT_VERSION_CMP_USE_BUILD_NUMBER,
// the default (MCUboot boot/bootutil/src/bootutil_misc.c, boot_compare_version).
func (v Version) CompareIgnoringBuild(o Version) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Revision, o.Revision))
}

func decodeVersion(b []byte) Version {
	return Version{
		Major: b[0], Minor: b[1],
		Revision: binary.LittleEndian.Uint16(b[2:]),
		Build:    binary.LittleEndian.Uint32(b[4:]),
	}
}

func (v Version) append(b []byte) []byte {
	b = append(b, v.Major, v.Minor)
	b = binary.LittleEndian.AppendUint16(b, v.Revision)
	return binary.LittleEndian.AppendUint32(b, v.Build)
}

// A version may come from a device, so no more than a line of it is repeated.
func badVersion(s, why string) error {
	return fail(ErrBadVersion, "version %.40q: %s", s, why)
}
