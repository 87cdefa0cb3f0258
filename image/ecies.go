package image

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// eciesInfo keeps the derived keys apart from those of other protocols (MCUboot
// encrypted.c, boot_decrypt_key).
const eciesInfo = "MCUBoot_ECIES_v1"

// ecies is MCUboot's way to encrypt an AES key for an elliptic curve key. The
// value of the entry is the sender's one-time public key, the tag over the
// encrypted key, and the encrypted key (MCUboot enc_key_public.h, EC_*_INDEX).
type ecies struct {
	curve ecdh.Curve
	point int // bytes of a public key
	hash  func() hash.Hash
	tag   int // bytes
}

// ecies returns the parameters of an entry's type, and false for types that work
// otherwise.
func (t TLVType) ecies() (ecies, bool) {
	switch t {
	case TLVEncEC256:
		return ecies{ecdh.P256(), 65, sha256.New, sha256.Size}, true
	case TLVEncX25519:
		return ecies{ecdh.X25519(), 32, sha256.New, sha256.Size}, true
	case TLVEncX25519SHA512:
		return ecies{ecdh.X25519(), 32, sha512.New, sha512.Size}, true
	}
	return ecies{}, false
}

// seal encrypts an AES key for the owner of to, with a one-time key.
func (s ecies) seal(once *ecdh.PrivateKey, to *ecdh.PublicKey, key []byte) ([]byte, error) {
	secret, err := once.ECDH(to)
	if err != nil {
		return nil, err
	}
	sealed, tag, err := s.crypt(secret, key)
	if err != nil {
		return nil, err
	}
	return append(append(once.PublicKey().Bytes(), tag(sealed)...), sealed...), nil
}

// open undoes seal. It reports false if the value was not made for this key.
func (s ecies) open(private *ecdh.PrivateKey, value []byte) ([]byte, bool) {
	from, err := s.curve.NewPublicKey(value[:s.point])
	if err != nil {
		return nil, false
	}
	secret, err := private.ECDH(from)
	if err != nil {
		return nil, false
	}
	sealed := value[s.point+s.tag:]
	key, tag, err := s.crypt(secret, sealed)
	return key, err == nil && hmac.Equal(tag(sealed), value[s.point:s.point+s.tag])
}

// crypt encrypts or decrypts an AES key with what the shared secret gives, and
// returns the function that makes the tag.
func (s ecies) crypt(secret, key []byte) (out []byte, tag func([]byte) []byte, err error) {
	derived, err := hkdf.Key(s.hash, secret, nil, eciesInfo, len(key)+s.tag)
	if err != nil {
		return nil, nil, err
	}
	tag = func(sealed []byte) []byte {
		mac := hmac.New(s.hash, derived[len(key):])
		mac.Write(sealed)
		return mac.Sum(nil)
	}
	out = bytes.Clone(key)
	return out, tag, applyCTR(derived[:len(key)], out)
}

// applyCTR encrypts or decrypts b in place with AES-CTR and MCUboot's counter,
// which begins at zero, because every image has a key of its own.
func applyCTR(key, b []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(b, b)
	return nil
}
