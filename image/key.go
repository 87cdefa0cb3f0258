package image

import (
	"crypto"
	"errors"

	"github.com/smpctl/smpctl/image/internal/pubkey"
)

// key is a public key that signs, with what an image has of it.
type key struct {
	pubkey.Key
	keyTraits
}

// keyTraits are what MCUboot ties to a kind of key (imgtool, keys/*.py).
type keyTraits struct {
	sig    TLVType
	hashes []TLVType // that an image signed with it may have
	padded int       // bytes that imgtool --pad-sig pads a signature to; 0: never
}

var traitsOf = map[pubkey.Kind]keyTraits{
	pubkey.RSA2048: {sig: TLVRSA2048PSS, hashes: []TLVType{TLVSHA256}},
	pubkey.RSA3072: {sig: TLVRSA3072PSS, hashes: []TLVType{TLVSHA256}},
	pubkey.P256:    {sig: TLVECDSASig, hashes: []TLVType{TLVSHA256}, padded: 72},
	pubkey.P384:    {sig: TLVECDSASig, hashes: []TLVType{TLVSHA384}, padded: 103},
	pubkey.Ed25519: {sig: TLVEd25519, hashes: []TLVType{TLVSHA256, TLVSHA512}},
}

func newKey(pub crypto.PublicKey) (key, error) {
	k, err := pubkey.Signing(pub)
	if err != nil {
		return key{}, badKey(err)
	}
	return key{k, traitsOf[k.Kind]}, nil
}

// hash is the hash that names the key in an image with a hash of the type.
func (k key) hash(typ TLVType) []byte { return k.Hash(typ.function()) }

// badKey gives the refusal of a key its kind.
func badKey(err error) error {
	if errors.As(err, new(pubkey.WeakError)) {
		return fail(ErrWeakKey, "%v", err)
	}
	return fail(ErrBadKey, "%v", err)
}
