package key

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/internal/pubkey"
)

// ParsePublic reads a public key: SubjectPublicKeyInfo ("PUBLIC KEY"), PKCS#1
// ("RSA PUBLIC KEY") or an X.509 certificate ("CERTIFICATE"), in PEM or as the DER
// inside. Of a certificate only the key counts: nothing else in it is checked,
// because the bootloader knows nothing but the key.
//
// The result is an *rsa.PublicKey with 2048 or 3072 bits, an *ecdsa.PublicKey on
// P-256 or P-384, or an ed25519.PublicKey: the keys that MCUboot can verify with.
// Everything else is an [image.ErrBadKey], private keys too, because only the public half
// belongs on a machine that installs updates. [PublicHalf] reads those. A key with
// which a signature proves nothing, such as RSA with an exponent of 1 or an Ed25519
// point of small order, is an [image.ErrWeakKey].
func ParsePublic(data []byte) (crypto.PublicKey, error) {
	pub, err := parsePublic(data)
	if err != nil {
		return nil, err
	}
	if err := checkSigning(pub); err != nil {
		return nil, err
	}
	return pub, nil
}

// ParseEncryption reads the key that an image is encrypted for: a public key in
// a form that [ParsePublic] reads, or the public half of an unencrypted private
// one. The result is an *rsa.PublicKey with 2048 bits, or an *ecdh.PublicKey on
// P-256 or X25519: the keys whose private half MCUboot can decrypt with.
func ParseEncryption(data []byte) (crypto.PublicKey, error) {
	pub, err := PublicHalf(data, nil)
	if err != nil {
		return nil, err
	}
	if pub, err = pubkey.Encrypting(pub); err != nil {
		return nil, badKey(err)
	}
	return pub, nil
}

// PublicHalf returns the public key of a file that [ParsePublic] or
// [ParsePrivate] reads, or of one with an X25519 key, which is an
// *ecdh.PublicKey. The argument passphrase is that of ParsePrivate.
func PublicHalf(data []byte, passphrase func() ([]byte, error)) (crypto.PublicKey, error) {
	pub, err := parsePublicHalf(data, passphrase)
	if err != nil {
		return nil, err
	}
	if _, err := check(pub); err != nil {
		return nil, err
	}
	return pub, nil
}

func parsePublicHalf(data []byte, passphrase func() ([]byte, error)) (crypto.PublicKey, error) {
	if !IsPrivate(data) {
		return parsePublic(data)
	}
	private, err := parsePrivate(data, passphrase)
	if err != nil {
		return nil, err
	}
	return publicHalf(private)
}

// parsePublic reads a public key of any type that x509 knows.
func parsePublic(data []byte) (crypto.PublicKey, error) {
	if block, _ := pem.Decode(data); block == nil && bytes.HasPrefix(data, []byte{0x30}) { // an ASN.1 sequence
		return asPublic(parsePublicDER(data))
	}
	block, err := onlyBlock("public key", data)
	if err != nil {
		return nil, err
	}
	return asPublic(parsePublicBlock(block))
}

// asPublic says what was read, where the cause does not.
func asPublic(pub crypto.PublicKey, err error) (crypto.PublicKey, error) {
	if err != nil {
		return nil, fail(image.ErrBadKey, "public key: %v", err)
	}
	return pub, nil
}

func parsePublicBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch {
	case block.Type == "PUBLIC KEY":
		return parsePKIX(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		return parseCertificate(block.Bytes)
	case isPrivateType(block.Type):
		return nil, errors.New("the file holds a private key: take its public half, for example with smpctl key " +
			"public -e pem")
	}
	return nil, fmt.Errorf("a PEM block of type %.40q is not a public key", block.Type)
}

func parsePublicDER(der []byte) (crypto.PublicKey, error) {
	if pub, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return pub, nil
	}
	if pub, err := parseCertificate(der); err == nil {
		return pub, nil
	}
	return parsePKIX(der)
}

func parseCertificate(der []byte) (crypto.PublicKey, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if c.PublicKey == nil {
		return nil, errors.New("the certificate is for a key of an unknown type")
	}
	return c.PublicKey, nil
}

// parsePKIX is x509.ParsePKIXPublicKey with a better word on compressed points.
func parsePKIX(der []byte) (crypto.PublicKey, error) {
	pub, err := x509.ParsePKIXPublicKey(der)
	if err == nil {
		return pub, nil
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	ecPublicKey := asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} // RFC 5480
	if _, e := asn1.Unmarshal(der, &info); e == nil && info.Algorithm.Algorithm.Equal(ecPublicKey) &&
		len(info.Key.Bytes) > 0 && info.Key.Bytes[0]|1 == 3 {
		// The key hash covers the encoding, so the bootloader would not know it.
		return nil, errors.New("the point is compressed: convert with openssl ec -pubin -conv_form uncompressed")
	}
	return nil, err
}

// ecParameters is the type of a PEM block with the name of a curve, which openssl
// ecparam -genkey writes in front of a key that names its curve too.
const ecParameters = "EC PARAMETERS"

func isPrivateType(blockType string) bool { return strings.HasSuffix(blockType, "PRIVATE KEY") }
