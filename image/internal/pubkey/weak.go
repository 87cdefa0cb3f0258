package pubkey

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
)

// WeakError says why a key that reads like one proves or hides nothing.
type WeakError string

// Error says what is wrong with the key.
func (e WeakError) Error() string { return string(e) }

func weak(format string, args ...any) error { return WeakError(fmt.Sprintf(format, args...)) }

// checkRSA refuses numbers that no RSA key has. With an exponent of 1 a signature is the padded message itself, which
// everybody can write; an even exponent or modulus has no private half.
func checkRSA(pub *rsa.PublicKey) error {
	switch {
	case pub.E < 3 || pub.E%2 == 0:
		return weak("key: RSA with the exponent %d, want an odd number from 3 on: with this one a signature proves "+
			"nothing", pub.E)
	case pub.N.Bit(0) == 0:
		return weak("key: RSA with an even modulus, which everybody can factor")
	}
	return nil
}

// checkEd25519 refuses what is no point of the curve, what is not the one encoding of its point, and the points of
// small order, which take signatures that everybody can make.
func checkEd25519(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize {
		return fmt.Errorf("key: an Ed25519 key of %d bytes", len(pub))
	}
	p, err := new(edwards25519.Point).SetBytes(pub)
	switch {
	case err != nil:
		return errors.New("key: Ed25519 with bytes that are no point of the curve: damaged?")
	case new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1:
		return weak("key: Ed25519 with a point of small order: everybody can make signatures for it")
	case !bytes.Equal(p.Bytes(), pub):
		return weak("key: Ed25519 with a point in another form than the one that key hashes are made of")
	}
	return nil
}

// checkX25519 refuses points of small order: what is encrypted for one, everybody can decrypt. Which points those are,
// the exchange itself tells (RFC 7748, section 6.1).
func checkX25519(pub *ecdh.PublicKey) error {
	one, err := ecdh.X25519().NewPrivateKey(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if _, err := one.ECDH(pub); err != nil {
		return weak("key: X25519 with a point of small order: everybody can decrypt what is encrypted for it")
	}
	return nil
}
