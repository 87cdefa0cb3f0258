package key

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"hash"

	"github.com/smpctl/smpctl/image"
)

// maxIterations bounds the work that a file may ask for before its passphrase is
// tried: some seconds. OpenSSL and imgtool write 2048, and OWASP advises no more
// than 1.3 million for any hash.
const maxIterations = 2_000_000

// pbes2 is a private key encrypted by PBES2 with PBKDF2 (RFC 8018, section 6.2).
type pbes2 struct {
	prf        prf
	cipher     blockCipher
	salt, iv   []byte
	iterations int
	data       []byte
}

// prf is a hash that PBKDF2 may be built on.
type prf struct {
	oid asn1.ObjectIdentifier
	new func() hash.Hash
}

// blockCipher is a cipher that a key may be encrypted with, in CBC mode.
type blockCipher struct {
	oid      asn1.ObjectIdentifier
	keyLen   int // bytes
	blockLen int // bytes
	new      func([]byte) (cipher.Block, error)
}

// Objects of RFC 8018, appendix C, and RFC 7914, section 7.
var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

var prfs = []prf{
	{oidHMACSHA1, sha1.New},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 8}, sha256.New224},
	{oidHMACSHA256, sha256.New},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 10}, sha512.New384},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}, sha512.New},
}

var blockCiphers = []blockCipher{
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}, 16, 16, aes.NewCipher},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}, 24, 16, aes.NewCipher},
	{oidAES256CBC, 32, 16, aes.NewCipher},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}, 24, 8, des.NewTripleDESCipher}, // openssl before 1.1
}

// algorithm is an AlgorithmIdentifier (RFC 5280, section 4.1.1.2).
type algorithm struct {
	OID    asn1.ObjectIdentifier
	Params asn1.RawValue `asn1:"optional"`
}

// encryptedInfo is EncryptedPrivateKeyInfo (RFC 5208, section 6).
type encryptedInfo struct {
	Scheme algorithm
	Data   []byte
}

// pbes2Params is PBES2-params (RFC 8018, appendix A.4).
type pbes2Params struct {
	KDF    algorithm
	Cipher algorithm
}

// pbkdf2Params is PBKDF2-params (RFC 8018, appendix A.2).
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLen     int       `asn1:"optional"`
	PRF        algorithm `asn1:"optional"`
}

// parsePBES2 reads an EncryptedPrivateKeyInfo.
func parsePBES2(der []byte) (pbes2, error) {
	var (
		info encryptedInfo
		p    pbes2Params
		kdf  pbkdf2Params
		iv   []byte
	)
	if err := unmarshal(der, &info); err != nil {
		return pbes2{}, err
	}
	if !info.Scheme.OID.Equal(oidPBES2) {
		return pbes2{}, unknownEncryption("scheme", info.Scheme.OID)
	}
	if err := unmarshal(info.Scheme.Params.FullBytes, &p); err != nil {
		return pbes2{}, err
	}
	if !p.KDF.OID.Equal(oidPBKDF2) {
		return pbes2{}, unknownEncryption("key derivation", p.KDF.OID)
	}
	if err := unmarshal(p.KDF.Params.FullBytes, &kdf); err != nil {
		return pbes2{}, err
	}
	c := findCipher(p.Cipher.OID)
	if c.new == nil {
		return pbes2{}, unknownEncryption("cipher", p.Cipher.OID)
	}
	if err := unmarshal(p.Cipher.Params.FullBytes, &iv); err != nil {
		return pbes2{}, err
	}
	if kdf.PRF.OID == nil {
		kdf.PRF.OID = oidHMACSHA1 // the default
	}
	f := findPRF(kdf.PRF.OID)
	if f.new == nil {
		return pbes2{}, unknownEncryption("hash", kdf.PRF.OID)
	}
	e := pbes2{f, c, kdf.Salt, iv, kdf.Iterations, info.Data}
	if err := e.check(kdf.KeyLen); err != nil {
		return pbes2{}, err
	}
	return e, nil
}

// findPRF returns the zero value for an unknown one, as findCipher does.
func findPRF(oid asn1.ObjectIdentifier) prf {
	for _, f := range prfs {
		if f.oid.Equal(oid) {
			return f
		}
	}
	return prf{}
}

func findCipher(oid asn1.ObjectIdentifier) blockCipher {
	for _, c := range blockCiphers {
		if c.oid.Equal(oid) {
			return c
		}
	}
	return blockCipher{}
}

// check refuses numbers that do not fit each other, or ask for too much work.
func (e pbes2) check(keyLen int) error {
	switch {
	case e.iterations < 1 || e.iterations > maxIterations:
		return fail(image.ErrBadKey, "private key: encrypted with %d iterations, want 1 to %d",
			e.iterations, maxIterations)
	case keyLen != 0 && keyLen != e.cipher.keyLen:
		return fail(image.ErrBadKey, "private key: encrypted with a key of %d bytes for a cipher that takes %d",
			keyLen, e.cipher.keyLen)
	case len(e.data) == 0:
		return fail(image.ErrBadKey, "private key: nothing is encrypted")
	case len(e.iv) != e.cipher.blockLen:
		return fail(image.ErrBadKey, "private key: an initialisation vector of %d bytes, want %d",
			len(e.iv), e.cipher.blockLen)
	case len(e.data)%e.cipher.blockLen != 0:
		return fail(image.ErrBadKey, "private key: %d encrypted bytes are no multiple of %d",
			len(e.data), e.cipher.blockLen)
	}
	return nil
}

// decrypt returns the DER of a PKCS#8 key. The work is as e.iterations says.
func (e pbes2) decrypt(passphrase []byte) ([]byte, error) {
	mode, err := e.mode(passphrase, cipher.NewCBCDecrypter)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(e.data))
	mode.CryptBlocks(plain, e.data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > mode.BlockSize() {
		return nil, errWrongPassphrase()
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, errWrongPassphrase()
		}
	}
	return plain[:len(plain)-padding], nil
}

// mode derives the key and sets up the cipher.
func (e pbes2) mode(passphrase []byte, cbc func(cipher.Block, []byte) cipher.BlockMode) (cipher.BlockMode, error) {
	key, err := pbkdf2.Key(e.prf.new, string(passphrase), e.salt, e.iterations, e.cipher.keyLen)
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	block, err := e.cipher.new(key)
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	return cbc(block, e.iv), nil
}

// unmarshal reads one ASN.1 value and nothing behind it.
func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return fail(image.ErrBadKey, "private key: not an encrypted PKCS#8 key: %v", err)
	}
	if len(rest) > 0 {
		return fail(image.ErrBadKey, "private key: not an encrypted PKCS#8 key: %d bytes behind its end", len(rest))
	}
	return nil
}

func unknownEncryption(what string, oid asn1.ObjectIdentifier) error {
	name := oid.String()
	if oid.Equal(oidScrypt) {
		name = "scrypt"
	}
	return fail(image.ErrBadKey,
		"private key: encrypted with the %s %s, which is not known here: convert with openssl pkcs8 -topk8 -in OLD "+
			"-out NEW", what, name)
}

func errWrongPassphrase() error {
	return fail(ErrPassphrase, "private key: the passphrase is wrong, or the file is damaged")
}
