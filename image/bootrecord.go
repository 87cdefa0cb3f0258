package image

import (
	"encoding/binary"
	"unicode/utf8"
)

// BootRecord is what a measured boot reports of an image (imgtool sign
// --boot-record, scripts/imgtool/boot_record.py): a CBOR map whose keys are those
// of a software component in a PSA attestation token.
type BootRecord struct {
	SoftwareType string // role of the software, such as "SPE"
	Version      string // without build number
	SignerID     []byte // key hash; zeros if signed without a key
	HashType     string // name of the measurement's hash, such as "SHA256"
	Measurement  []byte // zeros in the file: the bootloader fills the image hash in
}

// BootRecord returns the boot record, and false if the image has none or one that
// is not what imgtool writes.
func (m *Image) BootRecord() (BootRecord, bool) {
	t, ok := m.protected(TLVBootRecord)
	if !ok {
		return BootRecord{}, false
	}
	return parseBootRecord(t.Value)
}

// parseBootRecord reads a CBOR map of exactly the five fields, in any order.
func parseBootRecord(b []byte) (BootRecord, bool) {
	const fields = 5
	major, count, b, ok := cborHead(b)
	if !ok || major != cborMap || count != fields {
		return BootRecord{}, false
	}
	texts, blobs := map[int]string{}, map[int][]byte{}
	for range fields {
		var key, size int
		if major, key, b, ok = cborHead(b); !ok || major != 0 { // a number
			return BootRecord{}, false
		}
		if major, size, b, ok = cborHead(b); !ok || size > len(b) {
			return BootRecord{}, false
		}
		switch {
		case major == cborText && utf8.Valid(b[:size]):
			texts[key] = string(b[:size])
		case major == cborBytes:
			blobs[key] = b[:size:size]
		default:
			return BootRecord{}, false
		}
		b = b[size:]
	}
	// Five entries in five different places: none is missing and none came twice.
	r := BootRecord{texts[1], texts[4], blobs[5], texts[6], blobs[2]}
	_, hasType := texts[1]
	_, hasVersion := texts[4]
	_, hasHash := texts[6]
	return r, len(b) == 0 && hasType && hasVersion && hasHash && r.SignerID != nil && r.Measurement != nil
}

// cborHead reads the head of a CBOR item: its major type and its number, which is
// a value or a length. Numbers beyond 16 bits, which no TLV has room for, and
// indefinite lengths are refused.
func cborHead(b []byte) (major byte, n int, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, 0, nil, false
	}
	major, n, rest = b[0]&0xe0, int(b[0]&0x1f), b[1:]
	switch {
	case n < 24:
		return major, n, rest, true
	case n == 24 && len(rest) >= 1:
		return major, int(rest[0]), rest[1:], true
	case n == 25 && len(rest) >= 2:
		return major, int(binary.BigEndian.Uint16(rest)), rest[2:], true
	}
	return 0, 0, nil, false
}
