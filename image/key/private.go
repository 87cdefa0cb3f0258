package key

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/internal/pubkey"
)

// maxKeyDER bounds the bytes of a private key: an RSA key with 3072 bits has
// 1800. Checking a key takes time that grows fast with its size, and a file may
// claim any.
const maxKeyDER = 8 << 10

// ParsePrivate reads a private key that signs, in PEM: PKCS#8 ("PRIVATE KEY",
// "ENCRYPTED PRIVATE KEY"), SEC1 ("EC PRIVATE KEY", also behind "EC PARAMETERS")
// or PKCS#1 ("RSA PRIVATE KEY"), the last two also with OpenSSL's old encryption.
// The result is an *rsa.PrivateKey with 2048 or 3072 bits, an *ecdsa.PrivateKey
// on P-256 or P-384, or an ed25519.PrivateKey. Everything else is an [image.ErrBadKey].
//
// passphrase is called once, and only if the file is encrypted; its error comes
// back as it is. Without passphrase (nil), or with one that is empty or wrong, the
// answer is [ErrPassphrase]. The time to decrypt is bounded, to a few seconds.
func ParsePrivate(data []byte, passphrase func() ([]byte, error)) (crypto.Signer, error) {
	private, err := parsePrivate(data, passphrase)
	if err != nil {
		return nil, err
	}
	pub, err := publicHalf(private)
	if err != nil {
		return nil, err
	}
	if err := checkSigning(pub); err != nil {
		return nil, err
	}
	return private.(crypto.Signer), nil // as every key that signs
}

// ParseDecryption reads a private key that opens encrypted images, from the
// files that [ParsePrivate] reads. The result is an *rsa.PrivateKey with 2048
// bits, or an *ecdh.PrivateKey on P-256 or X25519.
func ParseDecryption(data []byte, passphrase func() ([]byte, error)) (crypto.PrivateKey, error) {
	private, err := parsePrivate(data, passphrase)
	if err != nil {
		return nil, err
	}
	pub, err := publicHalf(private)
	if err != nil {
		return nil, err
	}
	if _, err := pubkey.Encrypting(pub); err != nil {
		return nil, badKey(err)
	}
	if ec, ok := private.(*ecdsa.PrivateKey); ok {
		private, err = ec.ECDH()
		if err != nil {
			return nil, fail(image.ErrBadKey, "private key: %v", err)
		}
	}
	return private, nil
}

// IsPrivate reports whether a file says that it holds a private key, encrypted or not: whether [PublicHalf] takes it for
// one that [ParsePrivate] reads. The key itself is not looked at.
func IsPrivate(data []byte) bool {
	block, _ := pem.Decode(data)
	return block != nil && (isPrivateType(block.Type) || block.Type == ecParameters)
}

// publicHalf returns the public key of a private one.
func publicHalf(private crypto.PrivateKey) (crypto.PublicKey, error) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		return &private.PublicKey, nil
	case *ecdsa.PrivateKey:
		return &private.PublicKey, nil
	case *ecdh.PrivateKey:
		return private.PublicKey(), nil
	case crypto.Signer: // ed25519.PrivateKey
		return private.Public(), nil
	}
	return nil, fail(image.ErrBadKey, "private key: MCUboot has no use for a %T", private)
}

// parsePrivate reads a private key of any type that x509 knows.
func parsePrivate(data []byte, passphrase func() ([]byte, error)) (crypto.PrivateKey, error) {
	block, err := privateBlock(data)
	if err != nil {
		return nil, err
	}
	if len(block.Bytes) > maxKeyDER {
		return nil, fail(image.ErrBadKey, "private key: %d bytes, far more than a key that MCUboot can use",
			len(block.Bytes))
	}
	encrypted := block.Type == "ENCRYPTED PRIVATE KEY" || isOldEncrypted(block)
	der := block.Bytes
	if encrypted {
		if der, err = decryptBlock(block, passphrase); err != nil {
			return nil, err
		}
	}
	private, err := parsePrivateDER(block.Type, der)
	if err != nil && encrypted && !isSequence(der) {
		return nil, errWrongPassphrase() // one wrong one in 256 leaves something that looks well padded
	}
	if err != nil {
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	return private, nil
}

// isSequence reports whether the bytes are one ASN.1 sequence, as every private
// key is: then the passphrase was right, whatever else is wrong.
func isSequence(der []byte) bool {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(der, &v)
	return err == nil && len(rest) == 0 && v.Tag == asn1.TagSequence
}

// privateBlock finds the one PEM block of a file that holds a private key.
func privateBlock(data []byte) (*pem.Block, error) {
	if first, rest := pem.Decode(data); first != nil && first.Type == ecParameters {
		data = rest
	}
	block, err := onlyBlock("private key", data)
	if err != nil {
		return nil, err
	}
	switch block.Type {
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY":
		return block, nil
	case "OPENSSH PRIVATE KEY":
		return nil, fail(image.ErrBadKey, "private key: the file is in OpenSSH's own format, want PKCS#8")
	case "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE":
		return nil, fail(image.ErrBadKey, "private key: the file holds only the public half (%s)",
			strings.ToLower(block.Type))
	}
	return nil, fail(image.ErrBadKey, "private key: a PEM block of type %.40q is not a private key", block.Type)
}

func parsePrivateDER(blockType string, der []byte) (crypto.PrivateKey, error) {
	switch blockType {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(der)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(der)
	}
	return x509.ParsePKCS8PrivateKey(der)
}

// onlyBlock returns the only PEM block of a file. what is asked for in errors.
func onlyBlock(what string, data []byte) (*pem.Block, error) {
	block, rest := pem.Decode(data)
	if block == nil && bytes.Contains(data, []byte("-----BEGIN ")) {
		return nil, fail(image.ErrBadKey, "%s: the PEM block is cut short or damaged", what)
	}
	if block == nil {
		return nil, fail(image.ErrBadKey, "%s: not a PEM file", what)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fail(image.ErrBadKey, "%s: the file holds more than one PEM block", what)
	}
	return block, nil
}
