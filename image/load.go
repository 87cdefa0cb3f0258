package image

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/smpctl/smpctl/image/internal/ihex"
)

// Load reads an image from the content of a file, a .bin or an Intel HEX file;
// which of the two is seen from the content. An Intel HEX file is first flattened
// by [FromHex], and [Image.Bytes] then returns the flat bytes. Of other files
// that people take for an image (ELF, zip, UF2, unsigned binaries and so on) the
// error says what they are.
//
// The image keeps b, which must not be changed afterwards; [Parse] copies.
func Load(b []byte) (*Image, error) {
	if len(b) == 0 || b[0] != ':' {
		return adopt(b)
	}
	flat, start, err := FromHex(b)
	if err != nil {
		return nil, err
	}
	m, err := adopt(flat)
	if e := (*Error)(nil); errors.As(err, &e) {
		return nil, fail(e.Kind, "Intel HEX data from %#x on: %s", start, e.Detail)
	}
	return m, nil
}

// FromHex flattens an Intel HEX file, such as a firmware binary for [Build]: it returns the bytes from the lowest
// address to the highest, gaps filled with 0xff like erased flash, and the lowest address. Records of types 00 to 05
// are understood (Intel Hexadecimal Object File Format Specification, revision A), in any order of addresses.
//
// A wrong checksum, data given twice, a missing end record, text behind it, or a span of more than 64 MiB are errors of
// kind [ErrBadHex] that name the line.
func FromHex(b []byte) (data []byte, start uint32, err error) {
	if data, start, err = ihex.Flatten(b); err != nil {
		return nil, 0, fail(ErrBadHex, "%v", err)
	}
	return data, start, nil
}

// lookalikes are the files most often given instead of an image, known by their
// first bytes.
var lookalikes = []struct{ prefix, what string }{
	{"\x3c\xb8\xf3\x96",
		"it has the format of 2017 (magic 0x96f3b83c), which no current bootloader takes: sign it again"},
	{"\x96\xf3\xb8\x3d", "it is signed for a big-endian device, which is not supported"},
	{":", "it is an Intel HEX text, to be converted first"},
	{"\x7fELF", "it is an ELF file: take the signed .bin, for Zephyr zephyr.signed.bin"},
	{"PK\x03\x04", "it is a zip archive: the images of an update package are inside"},
	{"PK\x05\x06", "it is an empty zip archive"},
	{"UF2\n", "it is a UF2 file: take the signed .bin, for Zephyr zephyr.signed.bin"},
	{"S0", "it is a Motorola S-record text: take the signed .bin or .hex"},
	{"-----BEGIN ", "it is a PEM file, such as a key"},
	{"\x1f\x8b", "it is a gzip archive: unpack it first"},
	{"\xff\xff\xff\xff", "it begins with erased flash (0xff)"},
}

// isVectorTable knows a Cortex-M image by its first two words: a stack pointer
// into RAM, and a reset vector with the Thumb bit set that is not in RAM.
func isVectorTable(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	stack, reset := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	return stack >= 0x1000_0000 && stack < 0x4000_0000 && stack%4 == 0 && reset%2 == 1 && reset < 0x2000_0000
}

// isMultiImage knows the container of nRF Connect SDK's dfu_multi_image library:
// a 16-bit length, then a CBOR map whose first key is "img".
func isMultiImage(b []byte) bool {
	return len(b) >= 8 && bytes.HasPrefix(b[2:], []byte("\xa1\x63img"))
}
