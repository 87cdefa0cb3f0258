// Package pubkey knows the public keys that MCUboot has a use for: their kinds, the bytes by which a bootloader knows
// them, and which numbers are no key at all.
package pubkey

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for Hash
	_ "crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
)

// Kind is a kind of key, and of signature.
type Kind int

// Kinds of keys. All but X25519 sign.
const (
	RSA2048 Kind = iota + 1
	RSA3072
	P256
	P384
	Ed25519
	X25519
)

// String returns the name of the kind, such as "ECDSA P-256".
func (k Kind) String() string {
	return [...]string{"unknown", "RSA-2048", "RSA-3072", "ECDSA P-256", "ECDSA P-384", "Ed25519", "X25519"}[k]
}

// ScalarSize is the length of one half of an ECDSA signature in bytes, 0 for other kinds.
func (k Kind) ScalarSize() int {
	switch k {
	case P256:
		return 32
	case P384:
		return 48
	}
	return 0
}

// SignatureSize is the length of a signature in bytes, 0 for ECDSA, where it varies.
func (k Kind) SignatureSize() int {
	switch k {
	case RSA2048:
		return 256
	case RSA3072:
		return 384
	case Ed25519:
		return ed25519.SignatureSize
	}
	return 0
}

// Key is a public key that MCUboot can use.
type Key struct {
	Kind   Kind             // algorithm and size
	Public crypto.PublicKey // as New takes it
	DER    []byte           // what the key hash covers: PKCS#1 of RSA, SubjectPublicKeyInfo of others
}

// New checks a public key: *rsa.PublicKey with 2048 or 3072 bits, *ecdsa.PublicKey on P-256 or P-384,
// ed25519.PublicKey, or *ecdh.PublicKey on X25519. Of keys with which a signature proves nothing the error is a
// [WeakError].
func New(pub crypto.PublicKey) (Key, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return newRSA(pub)
	case *ecdsa.PublicKey:
		return newECDSA(pub)
	case ed25519.PublicKey:
		if err := checkEd25519(pub); err != nil {
			return Key{}, err
		}
		return withPKIX(Key{Kind: Ed25519, Public: pub})
	case *ecdh.PublicKey:
		if pub == nil || pub.Curve() != ecdh.X25519() {
			return Key{}, errors.New("key: an ECDH key that is not on X25519")
		}
		if err := checkX25519(pub); err != nil {
			return Key{}, err
		}
		return withPKIX(Key{Kind: X25519, Public: pub})
	}
	return Key{}, fmt.Errorf("key: MCUboot has no use for a %T", pub)
}

// Signing is [New] for keys that sign.
func Signing(pub crypto.PublicKey) (Key, error) {
	if _, ok := pub.(*ecdh.PublicKey); ok {
		return Key{}, errors.New("key: an X25519 key is for encryption and signs nothing")
	}
	return New(pub)
}

// Encrypting returns a key in the form that encrypts, if MCUboot can decrypt with its private half: *rsa.PublicKey with
// 2048 bits, or *ecdh.PublicKey on P-256 or X25519.
func Encrypting(pub crypto.PublicKey) (crypto.PublicKey, error) {
	k, err := New(pub)
	if err != nil {
		return nil, err
	}
	switch k.Kind {
	case RSA2048, X25519:
		return pub, nil
	case P256:
		p256, err := pub.(*ecdsa.PublicKey).ECDH()
		if err != nil {
			return nil, fmt.Errorf("encryption key: %w", err)
		}
		return p256, nil
	}
	return nil, fmt.Errorf("encryption key: this is an %s key, MCUboot decrypts with RSA-2048, ECDSA P-256 and X25519",
		k.Kind)
}

// Hash is the hash of the key, as images name it.
func (k Key) Hash(hash crypto.Hash) []byte {
	h := hash.New()
	h.Write(k.DER)
	return h.Sum(nil)
}

// Verify reports whether a signature in the form of images, without anything behind it, is by the key. The message is a
// digest, or, for Ed25519, any bytes.
func (k Key) Verify(message, sig []byte) bool {
	switch pub := k.Public.(type) {
	case *rsa.PublicKey:
		// The bootloader takes no other salt length, so neither may we.
		options := rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		return rsa.VerifyPSS(pub, crypto.SHA256, message, sig, &options) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, message, sig)
	case ed25519.PublicKey:
		return ed25519.Verify(pub, message, sig)
	}
	return false
}

func newRSA(pub *rsa.PublicKey) (Key, error) {
	if pub == nil || pub.N == nil {
		return Key{}, errors.New("key: an empty RSA key")
	}
	k := Key{Kind: RSA2048, Public: pub}
	switch n := pub.N.BitLen(); n {
	case 2048:
	case 3072:
		k.Kind = RSA3072
	default:
		return Key{}, fmt.Errorf("key: RSA with %d bits, MCUboot knows 2048 and 3072", n)
	}
	if err := checkRSA(pub); err != nil {
		return Key{}, err
	}
	k.DER = x509.MarshalPKCS1PublicKey(pub)
	return k, nil
}

func newECDSA(pub *ecdsa.PublicKey) (Key, error) {
	switch {
	case pub == nil || pub.Curve == nil:
		return Key{}, errors.New("key: an empty ECDSA key")
	case pub.Curve == elliptic.P256():
		return withPKIX(Key{Kind: P256, Public: pub})
	case pub.Curve == elliptic.P384():
		return withPKIX(Key{Kind: P384, Public: pub})
	}
	return Key{}, fmt.Errorf("key: curve %s, MCUboot knows P-256 and P-384", pub.Curve.Params().Name)
}

func withPKIX(k Key) (Key, error) {
	var err error
	if k.DER, err = x509.MarshalPKIXPublicKey(k.Public); err != nil {
		return Key{}, fmt.Errorf("key: %w", err)
	}
	return k, nil
}
