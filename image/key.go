package image

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
)

// ParsePublicKey reads a public key in PEM, as SubjectPublicKeyInfo ("PUBLIC
// KEY") or PKCS#1 ("RSA PUBLIC KEY"). The result is an *rsa.PublicKey with 2048
// or 3072 bits, an *ecdsa.PublicKey on P-256 or P-384, or an ed25519.PublicKey:
// the keys that MCUboot can verify with. Everything else is an [ErrBadKey],
// private keys too, because only the public half belongs on a machine that
// installs updates.
func ParsePublicKey(data []byte) (crypto.PublicKey, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, fail(ErrBadKey, "public key: not a PEM file: convert DER with openssl pkey -pubin -inform DER")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fail(ErrBadKey, "public key: the file holds more than one PEM block")
	}
	var pub crypto.PublicKey
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		pub, err = parsePKIX(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		pub, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, fail(ErrBadKey, "public key: the file holds a private key: take its public half, for example with imgtool getpub -e pem")
	default:
		return nil, fail(ErrBadKey, "public key: a PEM block of type %.40q is not a public key", block.Type)
	}
	if err != nil {
		return nil, fail(ErrBadKey, "public key: %v", err)
	}
	if _, err := newKey(pub); err != nil {
		return nil, err
	}
	return pub, nil
}

// KeyHash returns the hash of a public key as it stands in a TLVKeyHash entry of
// an image whose image hash has the given type, see [Image.HashType]. It covers
// the PKCS#1 encoding of an RSA key, and the SubjectPublicKeyInfo of others.
func KeyHash(pub crypto.PublicKey, hash TLVType) ([]byte, error) {
	k, err := newKey(pub)
	if err != nil {
		return nil, err
	}
	if !hash.isHash() {
		return nil, fail(ErrBadKey, "key hash: %s is not a type of hash", hash)
	}
	return hash.sum(k.der), nil
}

// key is a public key with what MCUboot ties to its kind (imgtool, keys/*.py).
type key struct {
	public crypto.PublicKey
	name   string
	sig    TLVType
	hashes []TLVType // that an image signed with it may have
	der    []byte    // what the key hash covers
}

func newKey(pub crypto.PublicKey) (key, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return newRSAKey(pub)
	case *ecdsa.PublicKey:
		return newECDSAKey(pub)
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			return key{}, fail(ErrBadKey, "public key: an Ed25519 key of %d bytes", len(pub))
		}
		return withPKIX(key{public: pub, name: "Ed25519", sig: TLVEd25519, hashes: []TLVType{TLVSHA256, TLVSHA512}})
	case *ecdh.PublicKey:
		return key{}, fail(ErrBadKey, "public key: an X25519 key is for encryption and signs nothing")
	}
	return key{}, fail(ErrBadKey, "public key: MCUboot has no use for a %T", pub)
}

func newRSAKey(pub *rsa.PublicKey) (key, error) {
	if pub == nil || pub.N == nil {
		return key{}, fail(ErrBadKey, "public key: an empty RSA key")
	}
	k := key{public: pub, hashes: []TLVType{TLVSHA256}}
	switch n := pub.N.BitLen(); n {
	case 2048:
		k.name, k.sig = "RSA-2048", TLVRSA2048PSS
	case 3072:
		k.name, k.sig = "RSA-3072", TLVRSA3072PSS
	default:
		return key{}, fail(ErrBadKey, "public key: RSA with %d bits, MCUboot knows 2048 and 3072", n)
	}
	k.der = x509.MarshalPKCS1PublicKey(pub)
	return k, nil
}

func newECDSAKey(pub *ecdsa.PublicKey) (key, error) {
	k := key{public: pub, sig: TLVECDSASig}
	switch pub.Curve {
	case elliptic.P256():
		k.name, k.hashes = "ECDSA P-256", []TLVType{TLVSHA256}
	case elliptic.P384():
		k.name, k.hashes = "ECDSA P-384", []TLVType{TLVSHA384}
	case nil:
		return key{}, fail(ErrBadKey, "public key: an empty ECDSA key")
	default:
		return key{}, fail(ErrBadKey, "public key: curve %s, MCUboot knows P-256 and P-384", pub.Curve.Params().Name)
	}
	return withPKIX(k)
}

func withPKIX(k key) (key, error) {
	var err error
	if k.der, err = x509.MarshalPKIXPublicKey(k.public); err != nil {
		return key{}, fail(ErrBadKey, "public key: %v", err)
	}
	return k, nil
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
		return nil, fail(ErrBadKey, "the point is compressed: convert with openssl ec -pubin -conv_form uncompressed")
	}
	return nil, err
}
