package image

import (
	"unicode/utf8"

	"github.com/smpctl/smpctl/internal/cborhead"
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
	h, b, ok := readHead(b)
	if !ok || h.Major != cborhead.Map || h.N != fields {
		return BootRecord{}, false
	}
	texts, blobs := map[uint64]string{}, map[uint64][]byte{}
	for range fields {
		key, rest, ok := readHead(b)
		if !ok || key.Major != cborhead.Unsigned {
			return BootRecord{}, false
		}
		if h, b, ok = readHead(rest); !ok || h.N > uint64(len(b)) {
			return BootRecord{}, false
		}
		switch {
		case h.Major == cborhead.Text && utf8.Valid(b[:h.N]):
			texts[key.N] = string(b[:h.N])
		case h.Major == cborhead.Bytes:
			blobs[key.N] = b[:h.N:h.N]
		default:
			return BootRecord{}, false
		}
		b = b[h.N:]
	}
	// Five entries in five different places: none is missing and none came twice.
	r := BootRecord{texts[1], texts[4], blobs[5], texts[6], blobs[2]}
	_, hasType := texts[1]
	_, hasVersion := texts[4]
	_, hasHash := texts[6]
	return r, len(b) == 0 && hasType && hasVersion && hasHash && r.SignerID != nil && r.Measurement != nil
}

// readHead reads the head of a CBOR item. Numbers beyond 16 bits, which no TLV has
// room for, and indefinite lengths are refused.
func readHead(b []byte) (h cborhead.Head, rest []byte, ok bool) {
	h, rest, ok = cborhead.Read(b)
	return h, rest, ok && h.Info <= 25
}
