package image

import (
	"crypto/sha256"
	"math"
	"slices"
	"unicode/utf8"
)

// maxBootRecordType is the most characters of a software type that imgtool takes.
const maxBootRecordType = 12

// SecurityCounter is the counter that "imgtool sign --security-counter auto"
// makes of a version. The build number does not count.
func (v Version) SecurityCounter() uint32 {
	return uint32(v.Major)<<24 | uint32(v.Minor)<<16 | uint32(v.Revision)
}

// protected returns the entries of the protected area in imgtool's order.
func (o BuildOptions) protected(u *Unsigned) ([]TLV, error) {
	var list []TLV
	if o.SecurityCounter != nil {
		list = append(list, number(TLVSecurityCounter, int(*o.SecurityCounter)))
	}
	if o.BootRecord != "" {
		if n := utf8.RuneCountInString(o.BootRecord); n > maxBootRecordType || !utf8.ValidString(o.BootRecord) {
			return nil, fail(ErrBadOption, "boot record %.40q: want up to %d characters", o.BootRecord, maxBootRecordType)
		}
		list = append(list, TLV{TLVBootRecord, bootRecord(o.BootRecord, o.Version, u)})
	}
	for _, d := range o.Dependencies {
		list = append(list, TLV{TLVDependency, d.Minimum.append([]byte{d.Image, 0, 0, 0})})
	}
	uuids, err := o.uuids()
	if err != nil {
		return nil, err
	}
	return o.appendCustom(slices.Concat(list, u.packing.entries, uuids))
}

func (o BuildOptions) appendCustom(list []TLV) ([]TLV, error) {
	var seen []TLVType
	for _, t := range o.CustomTLVs {
		switch {
		case t.Type < 0xa0 || t.Type == math.MaxUint16:
			return nil, fail(ErrBadOption, "custom TLV %s: want a type from 0xa0 to 0xfffe", t.Type)
		case slices.Contains(seen, t.Type):
			return nil, fail(ErrBadOption, "custom TLV %s: given twice", t.Type)
		}
		seen = append(seen, t.Type)
		list = append(list, t)
	}
	return list, nil
}

// bootRecord is the CBOR map of a software component for PSA attestation (MCUboot
// boot_record.c). Its measurement is last and zero: the bootloader puts the image
// hash there.
func bootRecord(software string, v Version, u *Unsigned) []byte {
	const (
		component, measurement, version, signer, hashName = 1, 2, 4, 5, 6
	)
	id := make([]byte, sha256.Size)
	if u.key != nil {
		id = u.key.hash(u.sign.Hash)
	}
	b := []byte{cborMap | 5}
	b = appendCBOR(append(b, component), cborText, []byte(software))
	b = appendCBOR(append(b, version), cborText, []byte(v.withoutBuild()))
	b = appendCBOR(append(b, signer), cborBytes, id)
	b = appendCBOR(append(b, hashName), cborText, []byte(u.sign.Hash.String()))
	return appendCBOR(append(b, measurement), cborBytes, make([]byte, u.sign.Hash.function().Size()))
}

// Major types of CBOR (RFC 8949, section 3.1).
const (
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborMap   = 5 << 5
)

// appendCBOR appends a string of fewer than 256 bytes.
func appendCBOR(b []byte, major byte, s []byte) []byte {
	if len(s) < 24 {
		b = append(b, major|byte(len(s)))
	} else {
		b = append(b, major|24, byte(len(s)))
	}
	return append(b, s...)
}
