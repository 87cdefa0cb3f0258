package key

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/internal/pubkey"
)

// Kinds of errors, next to [image.ErrBadKey], [image.ErrWeakKey] and [image.ErrBadOption].
const (
	ErrPassphrase image.Kind = "passphrase"   // the passphrase of a private key is missing, empty or wrong
	ErrBadStore   image.Kind = "bad-keystore" // a provisioning file that is none, or has no room for a key
)

// Name returns what kind of key a public key is, such as "ECDSA P-256".
func Name(pub crypto.PublicKey) (string, error) {
	k, err := check(pub)
	if err != nil {
		return "", err
	}
	return k.Kind.String(), nil
}

// Hash returns the hash of a public key as it stands in an [image.TLVKeyHash] entry of an image whose image hash has
// the given type, see [image.Image.HashType]. It covers the PKCS#1 encoding of an RSA key, and the SubjectPublicKeyInfo
// of others.
func Hash(pub crypto.PublicKey, hash image.TLVType) ([]byte, error) {
	k, err := check(pub)
	if err != nil {
		return nil, err
	}
	switch hash {
	case image.TLVSHA256:
		return k.Hash(crypto.SHA256), nil
	case image.TLVSHA384:
		return k.Hash(crypto.SHA384), nil
	case image.TLVSHA512:
		return k.Hash(crypto.SHA512), nil
	}
	return nil, fail(image.ErrBadKey, "key hash: %s is not a type of hash", hash)
}

// check refuses what MCUboot cannot use.
func check(pub crypto.PublicKey) (pubkey.Key, error) {
	k, err := pubkey.New(pub)
	return k, badKey(err)
}

// checkSigning refuses what MCUboot cannot verify with.
func checkSigning(pub crypto.PublicKey) error {
	_, err := pubkey.Signing(pub)
	return badKey(err)
}

// badKey gives the refusal of a key its kind.
func badKey(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(pubkey.WeakError)):
		return fail(image.ErrWeakKey, "%v", err)
	}
	return fail(image.ErrBadKey, "%v", err)
}

func fail(k image.Kind, format string, args ...any) error {
	return &image.Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}
