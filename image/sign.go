package image

import (
	"crypto"
	"crypto/rsa"
	"io"
)

// Sign completes an image with the signature of s, which must have the public key
// that the image was built with. The signer gets what MCUboot wants signed: the
// digest with RSA-PSS options of a 32-byte salt, the digest with its hash for
// ECDSA, and for Ed25519 the message with a hash of 0, which is the digest itself
// or, for a pure signature, the payload.
//
// An error of the signer is returned as [ErrSigner]. See [Unsigned.Attach] for
// the rest.
func Sign(u *Unsigned, s crypto.Signer, rand io.Reader) ([]byte, error) {
	if u.key == nil {
		return nil, fail(ErrBadOption, "signature: the image was built without a key")
	}
	other, err := newKey(s.Public())
	if err != nil {
		return nil, err
	}
	if string(other.DER) != string(u.key.DER) {
		return nil, fail(ErrKeyHashMismatch, "signature: the signer has the %s key %x…, not the %s key %x…",
			other.Kind, other.hash(u.sign.Hash)[:4], u.key.Kind, u.key.hash(u.sign.Hash)[:4])
	}
	sig, err := s.Sign(rand, u.message(), u.signerOpts())
	if err != nil {
		return nil, fail(ErrSigner, "signature: the signer refused: %v", err)
	}
	return u.Attach(sig)
}

func (u *Unsigned) signerOpts() crypto.SignerOpts {
	switch u.key.sig {
	case TLVRSA2048PSS, TLVRSA3072PSS:
		return &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
	case TLVEd25519:
		return crypto.Hash(0)
	}
	return u.sign.Hash.function()
}
