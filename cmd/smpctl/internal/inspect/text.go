package inspect

import (
	"fmt"
	"io"
	"strings"
)

// Text prints the inspection for people: what matters first, the raw entries last.
func (r inspection) Text(w io.Writer) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("file", "%s", r.describeFile())
	line("version", "%s", r.Header.Version)
	line("hash", "%s %s", r.HashType, r.Hash)
	line("", "%s", hashCheckText[r.HashCheck])
	if len(r.Signatures) == 0 {
		line("signature", "none")
	}
	for _, s := range r.Signatures {
		line("signature", "%s", s.Describe())
	}
	for _, d := range r.Dependencies {
		line("dependency", "image %d, version %s or later", d.Image, d.Minimum)
	}
	if r.SecurityCounter != nil {
		line("sec. counter", "%d", *r.SecurityCounter)
	}
	r.imageDetails.text(line)
	line("header", "%d bytes, body %d, protected entries %d; image %d",
		r.Header.HeaderSize, r.Header.BodySize, r.Header.ProtectedSize, r.ImageSize)
	if r.Header.LoadAddress != 0 {
		line("load address", "0x%08x", r.Header.LoadAddress)
	}
	line("flags", "%s", orNone(strings.Join(r.Header.Flags, " ")))
	line("trailer", "%s", r.Trailer.describe())
	line("file SHA-256", "%s", r.FileSHA256)
	for _, t := range r.TLVs {
		fmt.Fprintf(w, "%-13s 0x%04x %s, %d bytes\n%s", t.Area, t.TypeID, t.name(), t.Length, hexLines(t.Value))
	}
	for _, text := range r.Warnings {
		line("warning", "%s", text)
	}
	return nil
}

// name is MCUboot's name of the type, or what is known of a type without one.
func (t tlvEntry) name() string {
	const firstVendor = 0xa0 // in the low byte (MCUboot image.h)
	switch {
	case !strings.HasPrefix(t.Type, "0x"):
		return t.Type
	case t.TypeID&0xff >= firstVendor:
		return "vendor"
	}
	return "unknown"
}

// hashCheckText explains the values of hash_check.
var hashCheckText = map[string]string{
	hashFits:        "fits the content",
	hashDiffers:     "DOES NOT FIT THE CONTENT: the file is damaged",
	hashUncheckable: "cannot be checked: it covers the content before encryption",
}

func (r inspection) describeFile() string {
	size := r.FileSize
	if r.ContentSize != nil {
		size = *r.ContentSize
	}
	s := fmt.Sprintf("%s, %d bytes", r.File, size)
	if r.Address != nil {
		s += fmt.Sprintf(", Intel HEX from address 0x%08x", *r.Address)
	}
	if r.Encrypted {
		s += ", encrypted"
	}
	if r.Compressed {
		s += ", compressed"
	}
	return s
}

func (t *imageTrailerEntry) describe() string {
	switch {
	case t == nil:
		return "none"
	case t.Confirmed:
		return fmt.Sprintf("present, confirmed, write alignment %d", t.Align)
	}
	return fmt.Sprintf("present, for a test, write alignment %d", t.Align)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// hexDigitsPerLine fits a line of a terminal behind the indent.
const hexDigitsPerLine = 64

// hexLines breaks hexadecimal digits into indented lines.
func hexLines(digits string) string {
	var b strings.Builder
	for len(digits) > 0 {
		n := min(len(digits), hexDigitsPerLine)
		fmt.Fprintf(&b, "%-13s   %s\n", "", digits[:n])
		digits = digits[n:]
	}
	return b.String()
}
