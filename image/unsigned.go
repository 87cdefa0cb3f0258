package image

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/smpctl/smpctl/image/internal/ihex"
	"github.com/smpctl/smpctl/image/internal/sigform"
	"github.com/smpctl/smpctl/image/internal/wrongsig"
)

// Unsigned is an image to which nothing but the signature is missing. [Build] and
// [Resign] make it; [Sign] or [Unsigned.Attach] complete it, the latter with a
// signature made elsewhere. It is not changed by any of its methods.
type Unsigned struct {
	header     Header
	region     [][]byte    // what hash and signature cover, in parts
	digest     []byte      // hash of the region
	key        *key        // nil: the image gets a hash only
	sign       SignOptions // its hash is set
	slot       slot
	packing    packing
	encryption *Encryption
	original   *Image // the file that is signed again; nil after Build
}

// Header returns the header of the image.
func (u *Unsigned) Header() Header { return u.header }

// PublicKey returns the key that the signature must be by, or nil if the image
// gets no signature.
func (u *Unsigned) PublicKey() crypto.PublicKey {
	if u.key == nil {
		return nil
	}
	return u.key.Public
}

// HashType returns the type of the image hash: TLVSHA256, TLVSHA384 or TLVSHA512.
func (u *Unsigned) HashType() TLVType { return u.sign.Hash }

// Digest returns the image hash. It is what an RSA or ECDSA key signs as the hash
// of the message, and an Ed25519 key as the message itself, unless the signature
// is pure. The slice is shared and must not be changed.
func (u *Unsigned) Digest() []byte { return u.digest }

// Payload returns a copy of the bytes under the hash: what a pure Ed25519 signature
// covers, and what a signer wants that computes the hash itself.
func (u *Unsigned) Payload() []byte { return u.payload(0) }

// payload leaves room behind the bytes, so that a large image is copied once.
func (u *Unsigned) payload(room int) []byte {
	b := make([]byte, 0, u.size()+room)
	for _, part := range u.region {
		b = append(b, part...)
	}
	return b
}

// size is the number of bytes of the payload.
func (u *Unsigned) size() int {
	n := 0
	for _, part := range u.region {
		n += len(part)
	}
	return n
}

// Pure reports whether the signature covers the payload instead of the digest.
func (u *Unsigned) Pure() bool { return u.sign.Pure }

// setKey fits hash and kind of signature to the key.
func (u *Unsigned) setKey(pub crypto.PublicKey, o SignOptions) error {
	u.sign = o
	switch {
	case o.Hash != 0 && !o.Hash.isHash():
		return fail(ErrBadOption, "image hash: %s is not a type of hash", o.Hash)
	case pub == nil && o.Pure:
		return fail(ErrBadOption, "pure signature: a key is needed")
	case pub == nil:
		if o.Hash == 0 {
			u.sign.Hash = TLVSHA256
		}
		return nil
	}
	k, err := newKey(pub)
	if err != nil {
		return err
	}
	allowed := k.hashes
	if o.Pure {
		allowed = []TLVType{TLVSHA512} // imgtool's choice, and what devices report
	}
	switch {
	case o.Pure && k.sig != TLVEd25519:
		return fail(ErrBadOption, "pure signature: made by Ed25519 keys only, the given one is %s", k.Kind)
	case o.Hash == 0:
		u.sign.Hash = allowed[0]
	case !slices.Contains(allowed, o.Hash):
		return fail(ErrBadOption, "image hash %s: an %s signature goes with %v", o.Hash, k.Kind, allowed)
	}
	u.key = &k
	return nil
}

// message is what the signature is computed over.
func (u *Unsigned) message() []byte {
	if u.sign.Pure {
		return u.Payload()
	}
	return u.Digest()
}

// entriesRoom is more than the unprotected entries of any image take.
const entriesRoom = 2 << 10

// Attach returns the file of the image with a signature, as vaults, tokens and
// tools give it: binary, base64 and base64url with or without padding, hex with or
// without colons, PEM armour, Vault's vault:v1: prefix, quotes and white space
// around text, ECDSA as DER or as r ‖ s. Of an image without a key nil is the
// signature.
//
// A signature that does not verify with the public key is [ErrSignatureEmpty],
// [ErrSignatureFormat] or [ErrSignatureInvalid], or of a kind that names the mistake
// behind it, such as signature-hashed-twice (docs/signing.md lists them). A file
// that does not verify once it is read back is an error too, so nothing unverified
// is ever returned.
func (u *Unsigned) Attach(sig []byte) ([]byte, error) {
	image := u.payload(entriesRoom)
	switch {
	case u.key == nil && len(sig) > 0:
		return nil, fail(ErrBadOption, "signature: the image was built without the key that it is by")
	case u.key != nil:
		var err error
		if sig, err = u.accept(image, sig); err != nil {
			return nil, err
		}
	}
	sealed, key, err := u.seal(image)
	if err != nil {
		return nil, err
	}
	if image, err = unprotectedArea.append(image, append(u.entries(sig), sealed...)); err != nil {
		return nil, err
	}
	file, err := u.place(image)
	if err != nil {
		return nil, err
	}
	if err := u.readBack(file, key); err != nil {
		return nil, err
	}
	return file, nil
}

// accept gives the signature as the image carries it, or says what is wrong with it.
func (u *Unsigned) accept(region, sig []byte) ([]byte, error) {
	message := u.digest
	if u.sign.Pure {
		message = region
	}
	if b, ok := sigform.Normalize(u.key.Kind, sig); ok && u.key.Verify(message, b) {
		return b, nil
	}
	wrong := wrongsig.Signed{
		Key: u.key.Key, Hash: u.sign.Hash.function(), Pure: u.sign.Pure, Region: region, Digest: u.digest,
		Files: func() [][]byte { return u.files(region) },
	}.Explain(sig)
	return nil, fail(Kind(wrong.Label), "signature: %s", wrong.Text)
}

// files are what signers hash in place of the region: the whole file that is signed again, or the input with and
// without room for the header.
func (u *Unsigned) files(region []byte) [][]byte {
	if u.original != nil {
		return [][]byte{u.original.Bytes(), u.original.Plain()}
	}
	body := region[u.header.HeaderSize : int(u.header.HeaderSize)+int(u.header.ImageSize)]
	return [][]byte{body, slices.Concat(make([]byte, u.header.HeaderSize), body)}
}

// entries returns the unprotected entries in imgtool's order. The key's stands
// before the signature, where the bootloader looks for it.
func (u *Unsigned) entries(sig []byte) []TLV {
	list := []TLV{{u.sign.Hash, u.Digest()}}
	if u.sign.Pure {
		list = append(list, TLV{TLVSigPure, []byte{1}})
	}
	if u.key == nil {
		return list
	}
	name := TLV{TLVKeyHash, u.key.hash(u.sign.Hash)}
	if u.sign.FullKey {
		name = TLV{TLVPubKey, u.key.DER}
	}
	if u.sign.PadSignature {
		sig = append(bytes.Clone(sig), make([]byte, max(0, u.key.padded-len(sig)))...)
	}
	return append(list, name, TLV{u.key.sig, sig})
}

// Hex writes a file from [Sign] or [Unsigned.Attach] as Intel HEX, with the
// header at start. What pads the slot is left out, so that flashing it takes no
// longer than needed: a trailer has records of its own. Bytes beyond 32 bits of
// address are [ErrBadOption].
func (u *Unsigned) Hex(file []byte, start uint32) ([]byte, error) {
	m, err := Parse(file)
	if err != nil {
		return nil, err
	}
	parts := []ihex.Part{{Data: m.Plain()}}
	switch behind := m.raw[m.end:]; {
	case u.original != nil && len(behind) > 0:
		start := 0
		for start < len(behind) && behind[start] == m.fill() {
			start++
		}
		parts = append(parts, ihex.Part{At: m.end + start, Data: behind[start:]})
	case u.slot.pad != NoPad:
		parts = append(parts, u.slot.trailer()...)
	}
	text, err := ihex.Write(start, parts...)
	if err != nil {
		return nil, fail(ErrBadOption, "%v", err)
	}
	return text, nil
}

// place puts the image into its slot, or into the file from which it came.
func (u *Unsigned) place(image []byte) ([]byte, error) {
	if u.original != nil {
		return u.original.replace(image)
	}
	if err := u.slot.check(len(image)); err != nil {
		return nil, err
	}
	return u.slot.fill(image), nil
}

// checkFit refuses early what [Unsigned.Attach] would refuse for any signature.
func (u *Unsigned) checkFit() error {
	least := 0
	if u.key != nil {
		for !u.key.sig.takes(least) {
			least++
		}
	}
	list := u.entries(make([]byte, least))
	if u.encryption != nil {
		list = append(list, TLV{Value: make([]byte, u.encryption.entrySize())})
	}
	entries, err := unprotectedArea.append(nil, list)
	if err != nil {
		return err
	}
	return u.slot.check(u.size() + len(entries))
}
