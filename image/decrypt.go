package image

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
)

// Decrypt returns the image with its body in plaintext and its hash checked. Flags
// and entries stay as they are, for hash and signature cover them; so the result
// is what imgtool sign --clear makes, and [Image.Verify] checks all of it. A body
// that is plain already stays as it is, if the key fits all the same.
//
// The key is the device's: an *rsa.PrivateKey with 2048 bits, an *ecdh.PrivateKey
// or *ecdsa.PrivateKey on P-256, an *ecdh.PrivateKey on X25519, or, as []byte, the
// key-encryption key of AES key wrap.
func (m *Image) Decrypt(key crypto.PrivateKey) (*Image, error) {
	entry, ok := m.encKey()
	if !ok {
		return nil, fail(ErrNotEncrypted, "image header: no encryption flag, there is nothing to decrypt")
	}
	aesKey, err := m.openKey(key, entry)
	if err != nil {
		return nil, err
	}
	if m.CheckHash() == nil {
		return m, nil
	}
	raw := bytes.Clone(m.raw)
	if err := applyCTR(aesKey, raw[m.body:m.prot]); err != nil {
		return nil, fail(ErrDecryption, "decryption: %v", err)
	}
	plain, err := adopt(raw)
	if err != nil {
		return nil, err
	}
	if plain.CheckHash() != nil {
		return nil, fail(ErrHashMismatch,
			"image hash: the key fits, but the decrypted image has another hash: the file was damaged or changed "+
				"after encryption")
	}
	return plain, nil
}

// encKey returns the entry with the AES key. Parse made sure that every encrypted
// image has one.
func (m *Image) encKey() (TLV, bool) {
	if !m.Encrypted() {
		return TLV{}, false
	}
	for _, t := range m.all() {
		if t.Type.isEncKey() {
			return t, true
		}
	}
	return TLV{}, false
}

// openKey decrypts the AES key of the image.
func (m *Image) openKey(key crypto.PrivateKey, entry TLV) ([]byte, error) {
	aesKey, known, ok := entry.open(key)
	size := 16
	if m.Header.Flags&FlagEncryptedAES256 != 0 {
		size = 32
	}
	switch {
	case !known:
		return nil, fail(ErrWrongDecryptionKey,
			"decryption: the image is encrypted as %s, the given key is of another kind", entry.Type)
	case !ok:
		return nil, fail(ErrDecryption,
			"decryption: the given key does not open TLV %s: the image is encrypted for another key", entry.Type)
	case len(aesKey) != size: // RSA hides the length
		return nil, fail(ErrDecryption, "decryption: TLV %s holds an AES key of %d bytes, %s wants %d",
			entry.Type, len(aesKey), m.Header.Flags&encryptionFlags, size)
	}
	return aesKey, nil
}

// open decrypts the AES key in an entry. known is false if the key is of a kind
// that the entry has no use for, ok if it is not the right one.
func (t TLV) open(key crypto.PrivateKey) (aesKey []byte, known, ok bool) {
	if k, isECDSA := key.(*ecdsa.PrivateKey); isECDSA {
		converted, err := k.ECDH()
		if err != nil {
			return nil, false, false
		}
		key = converted
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if t.Type != TLVEncRSA2048 || k.N.BitLen() != 2048 {
			return nil, false, false
		}
		aesKey, err := rsa.DecryptOAEP(sha256.New(), nil, k, t.Value, nil)
		return aesKey, true, err == nil
	case []byte:
		if t.Type != TLVEncKW || len(k) != len(t.Value)-8 {
			return nil, false, false
		}
		aesKey, ok = unwrapKey(k, t.Value)
		return aesKey, true, ok
	case *ecdh.PrivateKey:
		s, isECIES := t.Type.ecies()
		if !isECIES || s.curve != k.Curve() {
			return nil, false, false
		}
		aesKey, ok = s.open(k, t.Value)
		return aesKey, true, ok
	}
	return nil, false, false
}
