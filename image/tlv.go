package image

import (
	"encoding/binary"
	"math"
)

const (
	protectedMagic   = 0x6908 // image.h: IMAGE_TLV_PROT_INFO_MAGIC
	unprotectedMagic = 0x6907 // image.h: IMAGE_TLV_INFO_MAGIC
	tlvHeaderSize    = 4      // of an area (magic, total) and of an entry (type, length)
)

// TLV is one entry of an image's TLV areas (MCUboot image.h, struct image_tlv).
type TLV struct {
	Type  TLVType // what the value is
	Value []byte  // shares memory with the image: read only
}

// area is one of the two kinds of TLV area.
type area struct {
	name  string
	magic uint16
}

var (
	protectedArea   = area{"protected TLVs", protectedMagic}
	unprotectedArea = area{"TLVs", unprotectedMagic}
)

// end reads the area's header at start and returns the offset of the area's end.
// Sizes are compared with what is left of the file, so nothing overflows.
func (a area) end(file []byte, start int) (int, error) {
	left := len(file) - start
	if left < tlvHeaderSize {
		return 0, fail(ErrTruncated, "%s: the file ends at %#x, where the area should be", a.name, len(file))
	}
	magic := binary.LittleEndian.Uint16(file[start:])
	total := int(binary.LittleEndian.Uint16(file[start+2:]))
	switch {
	case a.magic == protectedMagic && magic == unprotectedMagic:
		return 0, fail(ErrProtTLVMissing, "%s: the header announces the area, but it is missing at %#x", a.name, start)
	case a.magic == unprotectedMagic && magic == protectedMagic:
		return 0, fail(ErrProtSizeMismatch, "%s: a protected area at %#x that the header does not announce",
			a.name, start)
	case magic != a.magic:
		return 0, fail(ErrBadTLVMagic, "%s: 0x%04x at %#x instead of 0x%04x: damaged file or wrong sizes in the header",
			a.name, magic, start, a.magic)
	case total < tlvHeaderSize:
		return 0, fail(ErrBadTLVSize, "%s: total size %d is below the %d bytes of the area's header",
			a.name, total, tlvHeaderSize)
	case total > left:
		return 0, fail(ErrTLVAreaOverrun, "%s: the area has %d bytes, the file has %d left: cut short",
			a.name, total, left)
	}
	return start + total, nil
}

// entries returns the entries of the area b, which lies at start in the file. It
// counts first, so that a hostile area allocates nothing before it is known to
// be well formed, and no more than it needs.
func (a area) entries(b []byte, start int) ([]TLV, error) {
	count := 0
	for at := tlvHeaderSize; at < len(b); count++ {
		left := len(b) - at - tlvHeaderSize
		if left < 0 {
			return nil, fail(ErrTLVHeaderOverrun, "%s: %d stray bytes at %#x", a.name, len(b)-at, start+at)
		}
		size := int(binary.LittleEndian.Uint16(b[at+2:]))
		if size > left {
			return nil, fail(ErrTLVLengthOverrun, "%s: entry %s at %#x has %d bytes, but the area ends after %d",
				a.name, TLVType(binary.LittleEndian.Uint16(b[at:])), start+at, size, left)
		}
		at += tlvHeaderSize + size
	}
	list := make([]TLV, 0, count)
	for at := tlvHeaderSize; at < len(b); {
		from := at + tlvHeaderSize
		next := from + int(binary.LittleEndian.Uint16(b[at+2:]))
		list = append(list, TLV{Type: TLVType(binary.LittleEndian.Uint16(b[at:])), Value: b[from:next:next]})
		at = next
	}
	return list, nil
}

// append appends an area with these entries.
func (a area) append(b []byte, list []TLV) ([]byte, error) {
	total := tlvHeaderSize
	for _, t := range list {
		total += tlvHeaderSize + len(t.Value)
	}
	if total > math.MaxUint16 {
		return nil, fail(ErrTooLarge, "%s: %d bytes, and an area holds %d at most", a.name, total, math.MaxUint16)
	}
	b = binary.LittleEndian.AppendUint16(b, a.magic)
	b = binary.LittleEndian.AppendUint16(b, uint16(total))
	for _, t := range list {
		b = binary.LittleEndian.AppendUint16(b, uint16(t.Type))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(t.Value)))
		b = append(b, t.Value...)
	}
	return b, nil
}

// checkLength refuses entries of a known type whose length no bootloader takes.
func (t TLV) checkLength() error {
	if t.Type.takes(len(t.Value)) {
		return nil
	}
	kind := ErrBadTLVLength
	switch {
	case t.Type.isHash():
		kind = ErrBadHashLength
	case t.Type == TLVKeyHash:
		kind = ErrBadKeyHashLength
	case t.Type.isSignature():
		kind = ErrBadSignatureLength
	case t.Type.isEncKey():
		kind = ErrBadEncTLVLength
	}
	return fail(kind, "TLV %s: a value of %d bytes is impossible for this type", t.Type, len(t.Value))
}
