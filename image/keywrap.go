package image

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
)

// keyWrapIV is what unwrapping must leave behind (RFC 3394, section 2.2.3.1).
const keyWrapIV = 0xa6a6a6a6a6a6a6a6

const wrapRounds = 6 // RFC 3394, section 2.2

// wrapKey wraps an AES key with a key-encryption key of 16 or 32 bytes (RFC 3394,
// section 2.2.1). The result is 8 bytes longer.
func wrapKey(kek, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint64(nil, keyWrapIV)
	out = append(out, key...)
	n := len(key) / 8
	var b [aes.BlockSize]byte
	copy(b[:8], out)
	for t := uint64(1); t <= uint64(wrapRounds*n); t++ {
		r := out[8*((t-1)%uint64(n)+1):][:8]
		copy(b[8:], r)
		block.Encrypt(b[:], b[:])
		copy(r, b[8:])
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])^t)
	}
	copy(out, b[:8])
	return out, nil
}

// unwrapKey undoes wrapKey (RFC 3394, section 2.2.2). It reports false if wrapped
// was not made with this key-encryption key.
func unwrapKey(kek, wrapped []byte) ([]byte, bool) {
	block, err := aes.NewCipher(kek)
	if err != nil || len(wrapped) < 16 || len(wrapped)%8 != 0 {
		return nil, false
	}
	out := append([]byte(nil), wrapped[8:]...)
	n := len(out) / 8
	var b [aes.BlockSize]byte
	copy(b[:8], wrapped)
	for t := uint64(wrapRounds * n); t > 0; t-- {
		r := out[8*((t-1)%uint64(n)):][:8]
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])^t)
		copy(b[8:], r)
		block.Decrypt(b[:], b[:])
		copy(r, b[8:])
	}
	iv := binary.BigEndian.AppendUint64(nil, keyWrapIV)
	return out, subtle.ConstantTimeCompare(b[:8], iv) == 1
}
