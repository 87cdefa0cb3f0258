package image

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
)

// KeyHash returns the hash of a public key as it stands in a TLVKeyHash entry of
// an image whose image hash has the given type, see [Image.HashType]. It covers
// the PKCS#1 encoding of an RSA key, and the SubjectPublicKeyInfo of others.
func KeyHash(pub crypto.PublicKey, hash TLVType) ([]byte, error) {
	k, err := anyKey(pub)
	if err != nil {
		return nil, err
	}
	if !hash.isHash() {
		return nil, fail(ErrBadKey, "key hash: %s is not a type of hash", hash)
	}
	return hash.sum(k.der), nil
}

// anyKey is newKey for keys of encryption too, which have no signature.
func anyKey(pub crypto.PublicKey) (key, error) {
	if x, ok := pub.(*ecdh.PublicKey); ok && x != nil && x.Curve() == ecdh.X25519() {
		if err := checkX25519(x); err != nil {
			return key{}, err
		}
		return withPKIX(key{public: x, name: "X25519"})
	}
	return newKey(pub)
}

// key is a public key with what MCUboot ties to its kind (imgtool, keys/*.py).
type key struct {
	public crypto.PublicKey
	name   string
	sig    TLVType
	hashes []TLVType // that an image signed with it may have
	der    []byte    // what the key hash covers
	padded int       // bytes that imgtool --pad-sig pads a signature to; 0: never
}

func newKey(pub crypto.PublicKey) (key, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return newRSAKey(pub)
	case *ecdsa.PublicKey:
		return newECDSAKey(pub)
	case ed25519.PublicKey:
		if err := checkEd25519(pub); err != nil {
			return key{}, err
		}
		return withPKIX(key{public: pub, name: "Ed25519", sig: TLVEd25519, hashes: []TLVType{TLVSHA256, TLVSHA512}})
	case *ecdh.PublicKey:
		return key{}, fail(ErrBadKey, "key: an X25519 key is for encryption and signs nothing")
	}
	return key{}, fail(ErrBadKey, "key: MCUboot has no use for a %T", pub)
}

func newRSAKey(pub *rsa.PublicKey) (key, error) {
	if pub == nil || pub.N == nil {
		return key{}, fail(ErrBadKey, "key: an empty RSA key")
	}
	k := key{public: pub, hashes: []TLVType{TLVSHA256}}
	switch n := pub.N.BitLen(); n {
	case 2048:
		k.name, k.sig = "RSA-2048", TLVRSA2048PSS
	case 3072:
		k.name, k.sig = "RSA-3072", TLVRSA3072PSS
	default:
		return key{}, fail(ErrBadKey, "key: RSA with %d bits, MCUboot knows 2048 and 3072", n)
	}
	if err := checkRSA(pub); err != nil {
		return key{}, err
	}
	k.der = x509.MarshalPKCS1PublicKey(pub)
	return k, nil
}

func newECDSAKey(pub *ecdsa.PublicKey) (key, error) {
	k := key{public: pub, sig: TLVECDSASig}
	switch pub.Curve {
	case elliptic.P256():
		k.name, k.hashes, k.padded = "ECDSA P-256", []TLVType{TLVSHA256}, 72
	case elliptic.P384():
		k.name, k.hashes, k.padded = "ECDSA P-384", []TLVType{TLVSHA384}, 103
	case nil:
		return key{}, fail(ErrBadKey, "key: an empty ECDSA key")
	default:
		return key{}, fail(ErrBadKey, "key: curve %s, MCUboot knows P-256 and P-384", pub.Curve.Params().Name)
	}
	return withPKIX(k)
}

func withPKIX(k key) (key, error) {
	var err error
	if k.der, err = x509.MarshalPKIXPublicKey(k.public); err != nil {
		return key{}, fail(ErrBadKey, "key: %v", err)
	}
	return k, nil
}
