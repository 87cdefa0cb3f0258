package image

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // for function
	_ "crypto/sha512"
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
	sums, stored := map[TLVType][]byte{}, map[TLVType][]byte{}
	fits, wrong := false, TLV{}
	for _, t := range m.all() {
		if !t.Type.isHash() {
			continue
		}
		if sums[t.Type] == nil { // once for each type, however many entries there are
			sums[t.Type], stored[t.Type] = t.Type.sum(m.Signed()), t.Value
		}
		switch {
		case !bytes.Equal(stored[t.Type], t.Value):
			return fail(ErrHashMismatch, "image hash: two of type %s, %x… and %x…, cannot both be right",
				t.Type, stored[t.Type][:4], t.Value[:4])
		case bytes.Equal(sums[t.Type], t.Value):
			fits = true
		default:
			wrong = t
		}
	}
	switch {
	case wrong.Type == 0:
		return nil
	case m.Encrypted() && !fits:
		return fail(ErrEncrypted,
			"image hash: cannot be checked without the decryption key, because it covers the plaintext")
	}
	return fail(ErrHashMismatch,
		"image hash: %s in the file is %x…, computed %x…: the file was damaged or changed after signing",
		wrong.Type, wrong.Value[:4], sums[wrong.Type][:4])
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

// function returns the hash function of the type, which must be a hash.
func (t TLVType) function() crypto.Hash {
	switch t {
	case TLVSHA256:
		return crypto.SHA256
	case TLVSHA384:
		return crypto.SHA384
	case TLVSHA512:
		return crypto.SHA512
	}
	panic("image: hash of TLV type " + t.String())
}

// sum computes the hash of the type, which must be one, over all parts together.
func (t TLVType) sum(parts ...[]byte) []byte {
	h := t.function().New()
	for _, b := range parts {
		h.Write(b)
	}
	return h.Sum(nil)
}
