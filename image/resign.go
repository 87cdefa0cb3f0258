package image

import (
	"bytes"
	"crypto"
)

// Resign takes an image, signed or not, for a new signature by another or the same
// key. The bytes under the signature stay as they are; hash, keys and signatures
// are dropped and made anew. If the file is padded with a trailer, the result is
// padded in the same way; other bytes behind the image are dropped.
//
// It refuses what cannot keep its meaning, as [ErrNotResignable]: an encrypted image,
// whose signature covers the plaintext; one with a signature from before its
// compression; and one with a boot record of another signer.
func Resign(m *Image, pub crypto.PublicKey, o SignOptions) (*Unsigned, error) {
	u := &Unsigned{header: m.Header, region: [][]byte{m.Signed()}, original: m}
	if err := u.setKey(pub, o); err != nil {
		return nil, err
	}
	u.digest = u.sign.Hash.sum(u.region...)
	if m.Encrypted() {
		return nil, fail(ErrNotResignable,
			"signing again: the image is encrypted, and a signature covers the plaintext: sign the firmware binary")
	}
	if err := m.CheckHash(); err != nil {
		return nil, err
	}
	for _, t := range m.Protected {
		switch t.Type {
		case TLVDecompSignature:
			return nil, fail(ErrNotResignable,
				"signing again: the image has a second signature, from before its compression: sign the "+
					"firmware binary")
		case TLVBootRecord:
			if u.key == nil || !bytes.Contains(t.Value, u.key.hash(u.sign.Hash)) {
				return nil, fail(ErrNotResignable,
					"signing again: the boot record names another signer, under the signature: sign "+
						"the firmware binary")
			}
		}
	}
	return u, nil
}

// replace puts a new image in the place of the one in m's file.
func (m *Image) replace(image []byte) ([]byte, error) {
	if _, padded := m.Trailer(); !padded {
		return image, nil
	}
	fill := m.fill()
	if n := len(image); n > len(m.raw) || n > m.end && !filled(m.raw[m.end:n], fill) {
		return nil, fail(ErrTooLarge, "image: %d bytes do not fit before the trailer of a file of %d", n, len(m.raw))
	}
	file := bytes.Clone(m.raw)
	for i := len(image); i < m.end; i++ {
		file[i] = fill
	}
	copy(file, image)
	return file, nil
}

// fill is what the bytes between image and trailer are, erased flash.
func (m *Image) fill() byte {
	if m.end < len(m.raw) && m.raw[m.end] == 0 {
		return 0
	}
	return 0xff
}

// filled reports whether all bytes are v.
func filled(b []byte, v byte) bool { return bytes.Count(b, []byte{v}) == len(b) }
