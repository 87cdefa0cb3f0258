package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of an archive. The largest packages that builds make have five files; programs that pack a folder add some of
// their own.
const (
	maxFiles    = 128
	maxUnpacked = 64 << 20 // bytes of all files together: no update comes near it
	maxRatio    = 64       // of all files together to the archive; padded images shrink to a fiftieth
	maxIndex    = 64 << 10 // bytes of the central directory
)

func isZip(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06"))
}

// archive is a zip archive whose names are safe and whose size is bounded.
type archive struct{ files map[string]*zip.File }

// openZip reads the table of contents. It refuses the whole archive for anything that a builder of packages would not
// write.
func openZip(b []byte) (archive, error) {
	if err := checkIndex(b); err != nil {
		return archive{}, err
	}
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return archive{}, fail(ErrBadZip, "zip archive: %s", strings.TrimPrefix(err.Error(), "zip: "))
	}
	if len(r.File) > maxFiles {
		return archive{}, fail(ErrTooManyFiles, "zip archive: %d files, more than the %d that are read",
			len(r.File), maxFiles)
	}
	a := archive{files: map[string]*zip.File{}}
	folded := map[string]string{}
	var packed, unpacked uint64
	for _, f := range r.File {
		if err := checkFile(f); err != nil {
			return archive{}, err
		}
		key := strings.ToLower(strings.TrimSuffix(f.Name, "/"))
		if first, ok := folded[key]; ok {
			return archive{}, fail(ErrDuplicateName, "zip archive: %s and %s have the same name",
				quote(first), quote(f.Name))
		}
		folded[key] = f.Name
		// Each alone may be close to the largest number.
		packed += min(f.CompressedSize64, 1<<32)
		unpacked += min(f.UncompressedSize64, 1<<32)
		if !f.Mode().IsDir() {
			a.files[f.Name] = f
		}
	}
	switch {
	case packed > uint64(len(b)):
		return archive{}, fail(ErrBadZip, "zip archive: its files overlap")
	case unpacked > maxUnpacked:
		return archive{}, fail(ErrTooLarge, "zip archive: %d bytes unpacked, more than the %d MiB that are read",
			unpacked, maxUnpacked>>20)
	case unpacked > maxRatio*uint64(len(b)):
		return archive{}, fail(ErrTooLarge, "zip archive: unpacks to more than %d times its size", maxRatio)
	}
	return a, nil
}

const indexEnd = 22 // bytes of the end record without its comment (APPNOTE.TXT 4.3.16)

// checkIndex bounds the table of contents before anything is allocated for it, and refuses data before the archive or
// behind it.
func checkIndex(b []byte) error {
	at := bytes.LastIndex(b, []byte("PK\x05\x06"))
	if at < 0 || len(b)-at < indexEnd {
		return fail(ErrBadZip, "zip archive: no end record: cut short")
	}
	end := b[at:]
	records := int(binary.LittleEndian.Uint16(end[10:]))
	size, offset := uint64(binary.LittleEndian.Uint32(end[12:])), uint64(binary.LittleEndian.Uint32(end[16:]))
	switch comment := int(binary.LittleEndian.Uint16(end[20:])); {
	case indexEnd+comment != len(end):
		return fail(ErrBadZip, "zip archive: something follows its end, or it is cut short")
	case records > maxFiles || size > maxIndex:
		return fail(ErrTooManyFiles, "zip archive: %d files, more than the %d that are read", records, maxFiles)
	case offset+size != uint64(at):
		return fail(ErrBadZip, "zip archive: the table of contents is not where the end record says")
	}
	return nil
}

// checkFile refuses what must not be unpacked.
func checkFile(f *zip.File) error {
	if problem := nameProblem(f.Name); problem != "" {
		return fail(ErrUnsafeName, "zip archive: file name %s %s", quote(f.Name), problem)
	}
	mode := f.Mode()
	switch {
	case mode.IsDir() && f.UncompressedSize64 > 0, !mode.IsDir() && !mode.IsRegular():
		return fail(ErrNotAFile, "zip archive: %s is not a plain file (%s)", quote(f.Name), mode.Type())
	case f.Flags&1 != 0:
		return fail(ErrEncryptedZip, "zip archive: %s is encrypted with a password", quote(f.Name))
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fail(ErrZipMethod, "zip archive: %s is compressed by method %d; only stored and deflated files are read",
			quote(f.Name), f.Method)
	}
	return nil
}

// maxName bounds the bytes of a file name: the usual limit of file systems.
const maxName = 255

// nameProblem says why a name in an archive is not safe on every system; empty if it is. Folders are fine.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name), strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "has characters that cannot be printed"
	case strings.ContainsAny(name, `\:`):
		return `has a backslash or a colon`
	case strings.HasPrefix(name, "/"):
		return "is absolute"
	}
	if clean := path.Clean(name); clean == ".." || strings.HasPrefix(clean, "../") ||
		clean != strings.TrimSuffix(name, "/") {
		return "leads out of its folder, or takes a detour"
	}
	return ""
}

// read unpacks a file, and not a byte more than its entry says.
func (a archive) read(name string) ([]byte, error) {
	f := a.files[name]
	r, err := f.Open()
	if err != nil {
		return nil, fail(ErrMemberDamaged, "zip archive: %s: %s", quote(name), strings.TrimPrefix(err.Error(), "zip: "))
	}
	defer r.Close()
	data := make([]byte, f.UncompressedSize64)
	_, err = io.ReadFull(r, data)
	if err == nil {
		_, err = io.CopyN(io.Discard, r, 1) // the checksum is compared at the end
	}
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fail(ErrMemberDamaged,
			"zip archive: %s is damaged: its content does not fit its length and checksum", quote(name))
	}
	return data, nil
}

// quote shows a text of the file, which may be long and full of anything.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}

func slotText(slot int) string {
	if slot == AnySlot {
		return ""
	}
	return fmt.Sprintf(", slot %d", slot)
}
