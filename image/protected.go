package image

import (
	"crypto/sha256"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/smpctl/smpctl/internal/cborhead"
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
			return nil, fail(ErrBadOption, "boot record %.40q: want up to %d characters",
				o.BootRecord, maxBootRecordType)
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
	b := cborhead.Append(nil, cborhead.Map, 5)
	b = appendString(append(b, component), cborhead.Text, []byte(software))
	b = appendString(append(b, version), cborhead.Text, []byte(v.withoutBuild()))
	b = appendString(append(b, signer), cborhead.Bytes, id)
	b = appendString(append(b, hashName), cborhead.Text, []byte(u.sign.Hash.String()))
	return appendString(append(b, measurement), cborhead.Bytes, make([]byte, u.sign.Hash.function().Size()))
}

// appendString appends a CBOR string of text or bytes.
func appendString(b []byte, m cborhead.Major, s []byte) []byte {
	return append(cborhead.Append(b, m, uint64(len(s))), s...)
}
