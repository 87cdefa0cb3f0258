package image

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/rand"
)

// Encryption says how [Build] encrypts an image: its body under a new AES key,
// which an entry holds for the device alone. Hash and signature cover the
// plaintext, so they do not depend on the AES key, and each call of
// [Unsigned.Attach] makes a new one.
type Encryption struct {
	// To is the device's key, see key.ParseEncryption: an *rsa.PublicKey with 2048
	// bits, an *ecdh.PublicKey or *ecdsa.PublicKey on P-256, an *ecdh.PublicKey on
	// X25519, or, as []byte, a key shared with the device for AES key wrap.
	To     crypto.PublicKey
	Bits   int  // of the AES key: 128 or 256; 0 means 128
	SHA512 bool // ECIES with SHA-512 instead of SHA-256; with X25519 only

	// Clear leaves the body in plaintext, for the primary slot of a device that
	// encrypts images when it swaps them out.
	Clear bool
	// SaveEntry counts room in the trailer for the entry instead of the AES key
	// (MCUboot's BOOT_SWAP_SAVE_ENCTLV).
	SaveEntry bool

	unpadded bool // an image that only becomes one to be encrypted
}

// pad is the number of zero bytes that an image of n bytes needs to be encrypted.
func (e *Encryption) pad(n int) int {
	if e == nil || e.unpadded {
		return 0
	}
	return roundUp(n, aes.BlockSize) - n
}

// flag is the header flag of images that are encrypted so.
func (e *Encryption) flag() Flags {
	switch {
	case e == nil:
		return 0
	case e.Bits == 256:
		return FlagEncryptedAES256
	}
	return FlagEncryptedAES128
}

// room is what one key takes in the trailer, imgtool's number but for AES-256
// keys, of which it counts a half.
func (e *Encryption) room() int {
	switch {
	case e == nil:
		return 0
	case e.SaveEntry:
		return e.entrySize()
	}
	return e.keySize()
}

// entrySize is the number of bytes of the entry's value.
func (e *Encryption) entrySize() int {
	_, typ, _ := e.resolve() // checked by Build
	return typ.encKeyLength(e.flag())
}

// seal encrypts the body of an image in place, if it is to be encrypted, and
// returns the entry with the key. The key is nil if the body stays plain.
func (u *Unsigned) seal(region []byte) (entries []TLV, key []byte, err error) {
	if u.encryption == nil {
		return nil, nil, nil
	}
	key, entry, err := u.encryption.newKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if u.encryption.Clear {
		return []TLV{entry}, nil, nil
	}
	return []TLV{entry}, key, u.header.crypt(key, region)
}

// crypt encrypts or decrypts in place the body of an image with this header.
func (h Header) crypt(key, image []byte) error {
	body := image[h.HeaderSize : uint64(h.HeaderSize)+uint64(h.ImageSize)]
	if err := applyCTR(key, body); err != nil {
		return encryptionFailed(err)
	}
	return nil
}

// readBack verifies a finished file with the eyes of a bootloader that has the
// keys.
func (u *Unsigned) readBack(file, key []byte) error {
	if key != nil {
		file = bytes.Clone(file)
		if err := u.header.crypt(key, file); err != nil {
			return err
		}
	}
	m, err := adopt(file)
	if err != nil {
		return err
	}
	if u.key == nil {
		return m.CheckHash()
	}
	return m.Verify(u.key.Public)
}
