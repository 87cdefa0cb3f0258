package image

import (
	"cmp"
	"crypto"
	"crypto/ecdh"
	"crypto/rsa"
	"crypto/sha256"
	"io"

	"github.com/smpctl/smpctl/image/internal/pubkey"
)

// newKey makes an AES key, and the entry that holds it for the device. The same bytes
// from random give the same result.
func (e *Encryption) newKey(random io.Reader) (key []byte, entry TLV, err error) {
	to, typ, err := e.resolve()
	if err != nil {
		return nil, TLV{}, err
	}
	key = make([]byte, e.keySize())
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, TLV{}, encryptionFailed(err)
	}
	value, err := sealKey(random, to, typ, key)
	if err != nil {
		return nil, TLV{}, encryptionFailed(err)
	}
	return key, TLV{Type: typ, Value: value}, nil
}

// keySize is the number of bytes of the AES key.
func (e *Encryption) keySize() int { return cmp.Or(e.Bits, 128) / 8 }

// resolve returns the recipient in the form that encrypts, and the type of entry
// that holds an AES key for it.
func (e *Encryption) resolve() (crypto.PublicKey, TLVType, error) {
	bits := cmp.Or(e.Bits, 128)
	if bits != 128 && bits != 256 {
		return nil, 0, fail(ErrBadKey, "encryption: AES with %d bits, MCUboot knows 128 and 256", e.Bits)
	}
	to, typ, err := recipient(e.To)
	switch kek, isKEK := to.([]byte); {
	case err != nil:
		return nil, 0, err
	case isKEK && len(kek)*8 != bits:
		return nil, 0, fail(ErrBadKey,
			"encryption key: %d bits for AES key wrap, MCUboot wants as many as the image key has, %d",
			len(kek)*8, bits)
	case e.SHA512 && typ != TLVEncX25519:
		return nil, 0, fail(ErrBadKey, "encryption key: HMAC-SHA-512 goes with X25519 only, not with %s", typ)
	case e.SHA512:
		typ = TLVEncX25519SHA512
	}
	return to, typ, nil
}

// recipient returns a key in the form that encrypts, and the plain scheme for it.
func recipient(to crypto.PublicKey) (crypto.PublicKey, TLVType, error) {
	if kek, ok := to.([]byte); ok {
		return kek, TLVEncKW, nil
	}
	if k, ok := to.(*ecdh.PublicKey); !ok || k.Curve() != ecdh.P256() {
		var err error
		if to, err = pubkey.Encrypting(to); err != nil {
			return nil, 0, badKey(err)
		}
	}
	switch k := to.(type) {
	case *rsa.PublicKey:
		return k, TLVEncRSA2048, nil
	case *ecdh.PublicKey:
		if k.Curve() == ecdh.X25519() {
			return k, TLVEncX25519, nil
		}
	}
	return to, TLVEncEC256, nil
}

// sealKey encrypts an AES key for a recipient in the form that encrypts.
func sealKey(random io.Reader, to crypto.PublicKey, typ TLVType, key []byte) ([]byte, error) {
	switch to := to.(type) {
	case []byte:
		return wrapKey(to, key)
	case *rsa.PublicKey:
		return rsa.EncryptOAEP(sha256.New(), random, to, key, nil)
	case *ecdh.PublicKey:
		return sealECIES(random, typ, to, key)
	}
	panic("image: encryption for a key without a scheme")
}

func sealECIES(random io.Reader, typ TLVType, to *ecdh.PublicKey, key []byte) ([]byte, error) {
	s, _ := typ.ecies()
	once, err := oneTimeKey(random, s.curve)
	if err != nil {
		return nil, err
	}
	return s.seal(once, to, key)
}

// oneTimeKey is the curve's GenerateKey, which since Go 1.26 takes its randomness
// from elsewhere.
func oneTimeKey(random io.Reader, curve ecdh.Curve) (*ecdh.PrivateKey, error) {
	// One number in 2^32 is not a P-256 key.
	const tries = 8
	var last error
	for range tries {
		b := make([]byte, 32)
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, err
		}
		k, err := curve.NewPrivateKey(b)
		if err == nil {
			return k, nil
		}
		last = err
	}
	return nil, last
}

func encryptionFailed(err error) error { return fail(ErrBadKey, "encryption: %v", err) }
