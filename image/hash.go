package image

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
)

// Hash returns the image hash that the file carries: what a device reports for
// the image and takes to select it. [Image.CheckHash] tells whether it is right.
// An image may carry several; this is the first. The slice is shared and must
// not be changed.
func (m *Image) Hash() []byte { return m.hash().Value }

// HashType returns the type of [Image.Hash]: TLVSHA256, TLVSHA384 or TLVSHA512.
func (m *Image) HashType() TLVType { return m.hash().Type }

// CheckHash computes the image hash and compares it with each one in the file. A
// difference is [ErrHashMismatch].
//
// The hash of an encrypted image covers the plaintext. If the body is in fact
// still plain (imgtool sign --clear) it is checked all the same; otherwise the
// answer is [ErrEncrypted], and nothing is known about the file's integrity.
func (m *Image) CheckHash() error {
	for _, t := range m.all() {
		if !t.Type.isHash() {
			continue
		}
		sum := t.Type.sum(m.Signed())
		switch {
		case bytes.Equal(sum, t.Value):
		case m.Encrypted():
			return fail(ErrEncrypted, "image hash: cannot be checked without the decryption key, because it covers the plaintext")
		default:
			return fail(ErrHashMismatch, "image hash: %s in the file is %x…, computed %x…: the file was damaged or changed after signing",
				t.Type, t.Value[:4], sum[:4])
		}
	}
	return nil
}

// hash returns the first hash entry. Parse made sure that there is one.
func (m *Image) hash() TLV {
	for _, t := range m.all() {
		if t.Type.isHash() {
			return t
		}
	}
	return TLV{}
}

// sum computes the hash of the type, which must be one.
func (t TLVType) sum(b []byte) []byte {
	switch t {
	case TLVSHA256:
		s := sha256.Sum256(b)
		return s[:]
	case TLVSHA384:
		s := sha512.Sum384(b)
		return s[:]
	case TLVSHA512:
		s := sha512.Sum512(b)
		return s[:]
	}
	panic("image: sum of TLV type " + t.String())
}
