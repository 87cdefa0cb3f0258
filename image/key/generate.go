package key

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"

	"github.com/smpctl/smpctl/image"
)

// Types are the types of keys that [Generate] makes, in imgtool's words. All
// but x25519 sign; rsa-2048, ecdsa-p256 and x25519 encrypt.
func Types() []string {
	return []string{"rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519", "x25519"}
}

// Generate makes a new private key from the system's randomness. An RSA key
// takes up to some seconds.
func Generate(keyType string) (crypto.PrivateKey, error) {
	var private crypto.PrivateKey
	var err error
	switch keyType {
	case "rsa-2048":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "rsa-3072":
		private, err = rsa.GenerateKey(rand.Reader, 3072)
	case "ecdsa-p256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ecdsa-p384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ed25519":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "x25519":
		private, err = ecdh.X25519().GenerateKey(rand.Reader)
	default:
		return nil, fail(image.ErrBadKey, "key type %.40q: want one of %v", keyType, Types())
	}
	if err != nil {
		return nil, fail(image.ErrBadKey, "key type %s: %v", keyType, err)
	}
	return private, nil
}

// MarshalPrivate returns a private key as PKCS#8 in PEM: the file that imgtool
// keygen writes. With a passphrase, that is unless it is nil, the key is encrypted
// (PBES2: PBKDF2 with HMAC-SHA-256, AES-256 in CBC mode), which takes some tenths
// of a second. An empty one is an [ErrPassphrase].
func MarshalPrivate(private crypto.PrivateKey, passphrase []byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	if passphrase == nil {
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	if len(passphrase) == 0 {
		return nil, errEmptyPassphrase()
	}
	if der, err = encryptPKCS8(der, passphrase); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), nil
}

// newIterations is the work that a guess at the passphrase of a new file costs, as
// OWASP advises for PBKDF2 with HMAC-SHA-256. imgtool's 2048 cost next to nothing.
const newIterations = 600_000

// encryptPKCS8 returns an EncryptedPrivateKeyInfo.
func encryptPKCS8(der, passphrase []byte) ([]byte, error) {
	e := pbes2{
		prf:        findPRF(oidHMACSHA256),
		cipher:     findCipher(oidAES256CBC),
		salt:       make([]byte, 16),
		iv:         make([]byte, aes.BlockSize),
		iterations: newIterations,
	}
	rand.Read(e.salt) // does not fail: crypto/rand ends the program instead
	rand.Read(e.iv)
	mode, err := e.mode(passphrase, cipher.NewCBCEncrypter)
	if err != nil {
		return nil, err
	}
	padding := mode.BlockSize() - len(der)%mode.BlockSize()
	e.data = append(slices.Clone(der), slices.Repeat([]byte{byte(padding)}, padding)...)
	mode.CryptBlocks(e.data, e.data)
	return e.marshal()
}

// marshal returns the EncryptedPrivateKeyInfo that parsePBES2 reads.
func (e pbes2) marshal() ([]byte, error) {
	kdf, err := asn1.Marshal(pbkdf2Params{Salt: e.salt, Iterations: e.iterations,
		PRF: algorithm{e.prf.oid, asn1.NullRawValue}})
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	iv, err := asn1.Marshal(e.iv)
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	params, err := asn1.Marshal(pbes2Params{
		KDF:    algorithm{oidPBKDF2, asn1.RawValue{FullBytes: kdf}},
		Cipher: algorithm{e.cipher.oid, asn1.RawValue{FullBytes: iv}},
	})
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	der, err := asn1.Marshal(encryptedInfo{algorithm{oidPBES2, asn1.RawValue{FullBytes: params}}, e.data})
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	return der, nil
}
