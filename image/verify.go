package image

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
)

// Verify checks that the image is whole and signed by the owner of pub, with the
// eyes of a bootloader that knows this one key (MCUboot image_validate.c,
// bootutil_img_validate): first the hash, then that the key is named before the
// signature, then the signature. It is stricter than the bootloader in three points:
// every hash in the file has to fit, a key hash has to be whole, and an ECDSA
// signature has to be DER, which not all of MCUboot's crypto libraries insist on.
// If the key has signed several times, the last signature decides, as it does
// there. What a compressed image becomes is checked in the same way, see
// [Image.Decompress].
//
// The nil error means all of that. For an encrypted image the best answer is
// [ErrEncrypted]: key and, unless it is made over the image itself, signature fit
// what the file says its hash is, but the body cannot be compared with it before
// [Image.Decrypt]. Any other kind is a reason to keep the image away from a device
// with this key.
func (m *Image) Verify(pub crypto.PublicKey) error {
	k, err := newKey(pub)
	if err != nil {
		return err
	}
	hidden := false
	if err := m.CheckHash(); errors.Is(err, ErrEncrypted) {
		hidden = true
	} else if err != nil {
		return err
	}
	if err := m.checkSignatures(k, hidden); err != nil {
		return err
	}
	switch {
	case hidden:
		return fail(ErrEncrypted,
			"signature: fits the key, but that it covers this body cannot be checked without the decryption key")
	case m.Compressed():
		return m.decompressesTo(k)
	}
	return nil
}

// checkSignatures looks for the signatures of the key. The bootloader is built
// for one type of hash and one way to name a key; where a key allows two, either
// will do.
func (m *Image) checkSignatures(k key, hidden bool) error {
	if err := m.checkSigned(k); err != nil {
		return err
	}
	hashes, err := m.hashesFor(k)
	if err != nil {
		return err
	}
	var first error
	for _, hash := range hashes {
		for _, names := range []TLVType{TLVKeyHash, TLVPubKey} {
			found, err := m.checkKeyed(k, names, hash, hidden)
			if found && err == nil {
				return nil
			}
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return m.explainKey(k, hashes[0].Type)
	}
	return first
}

// checkSigned makes sure that there is a signature of the type that the key makes.
func (m *Image) checkSigned(k key) error {
	all := m.Signatures()
	mine := slices.ContainsFunc(all, func(s Signature) bool { return s.Type == k.sig })
	mark, marked := m.pureMark()
	switch {
	case len(all) == 0:
		return fail(ErrNoSignature, "signature: the image is not signed")
	case !mine:
		return fail(ErrNoSignatureForKey, "signature: the image has one of type %s, not one by an %s key",
			all[0].Type, k.Kind)
	case marked && mark != 1:
		return fail(ErrSignatureInvalid, "signature: the SIG_PURE mark is 0x%02x instead of 0x01", mark)
	case marked && k.sig != TLVEd25519:
		return fail(ErrSignatureInvalid, "signature: the SIG_PURE mark goes with Ed25519 only, not with %s", k.Kind)
	}
	return nil
}

// hashesFor returns the image's hashes that go with the key, one of each type:
// CheckHash made sure that those of a type are the same.
func (m *Image) hashesFor(k key) ([]TLV, error) {
	var hashes []TLV
	for _, t := range m.all() {
		seen := slices.ContainsFunc(hashes, func(h TLV) bool { return h.Type == t.Type })
		// A pure image still carries a hash, always SHA-512.
		if !seen && slices.Contains(k.hashes, t.Type) && (t.Type == TLVSHA512 || !m.pure()) {
			hashes = append(hashes, t)
		}
	}
	if len(hashes) == 0 {
		return nil, fail(ErrHashSignatureMismatch,
			"signature: an image hash of type %s does not go with an %s key: signed with another kind of key?",
			m.HashType(), k.Kind)
	}
	return hashes, nil
}

// checkKeyed walks over the entries as a bootloader does that takes keys from
// entries of the type names: such an entry selects a key, and the next signature is
// tried with it. Since the last try decides, it is the only one made, so that the
// time does not grow with the entries. found is false if no signature is the key's.
func (m *Image) checkKeyed(k key, names TLVType, hash TLV, hidden bool) (found bool, err error) {
	var last []byte
	keyHash, selected := k.hash(hash.Type), false
	for _, t := range m.all() {
		switch t.Type {
		case names:
			if limit := k.nameLimit(names, len(hash.Value)); len(t.Value) > limit {
				return false, fail(ErrBadKeyHashLength,
					"signature: TLV %s has %d bytes, bootloaders with an image hash of type %s take %d at most",
					t.Type, len(t.Value), hash.Type, limit)
			}
			selected = k.named(t, keyHash)
		case k.sig:
			if selected {
				last = t.Value
			}
			selected = false
		}
	}
	switch {
	case last == nil:
		return false, nil
	case !m.pure():
		return true, k.verify(hash.Value, last)
	case hidden:
		return true, nil
	}
	return true, k.verify(m.Signed(), last)
}

// nameLimit is the most bytes that a bootloader reads of an entry that names a key;
// a longer one makes the whole image invalid (MCUboot image_validate.c,
// KEY_BUF_SIZE).
func (k key) nameLimit(names TLVType, hashSize int) int {
	const spare, largestECDSA = 24, 128
	switch {
	case names == TLVKeyHash:
		return hashSize
	case k.sig == TLVRSA2048PSS:
		return 256 + spare
	case k.sig == TLVRSA3072PSS:
		return 384 + spare
	case k.sig == TLVEd25519:
		return 64 + spare
	}
	return largestECDSA + spare
}

// named reports whether a key entry stands for the key with this hash.
func (k key) named(t TLV, keyHash []byte) bool {
	switch t.Type {
	case TLVKeyHash:
		return bytes.Equal(t.Value, keyHash)
	case TLVPubKey:
		return bytes.Equal(t.Value, k.DER)
	}
	return false
}

// explainKey says why no signature belongs to the key.
func (m *Image) explainKey(k key, hash TLVType) error {
	want := k.hash(hash)
	var other error
	for _, t := range m.all() {
		switch {
		case k.named(t, want):
			return fail(ErrKeyHashOrder,
				"signature: the given key is named, but not right before a signature, so the bootloader would not "+
					"use it")
		case t.Type == TLVKeyHash && len(t.Value) != len(want):
			other = fail(ErrBadKeyHashLength,
				"signature: the key hash has %d bytes, with an image hash of type %s it has %d",
				len(t.Value), hash, len(want))
		case t.Type == TLVKeyHash && other == nil:
			other = fail(ErrKeyHashMismatch, "signature: by key %x…, not by the given %s key %x…",
				t.Value[:4], k.Kind, want[:4])
		case t.Type == TLVPubKey && other == nil:
			other = fail(ErrKeyHashMismatch, "signature: by key %x…, not by the given %s key %x…",
				hash.sum(t.Value)[:4], k.Kind, want[:4])
		}
	}
	if other == nil {
		return fail(ErrNoKeyHash, "signature: no TLV says by which key, so the bootloader would not use it")
	}
	return other
}

// verify checks one signature over the image hash, or over the image itself
// when it is pure.
func (k key) verify(message, sig []byte) error {
	if k.sig == TLVECDSASig {
		der, ok := trimDER(sig)
		if !ok {
			return fail(ErrSignatureMalformed, "signature: not the DER encoding of an ECDSA signature: %x…", sig[:4])
		}
		sig = der
	}
	if !k.Verify(message, sig) {
		return fail(ErrSignatureInvalid,
			"signature: does not fit the image, although it claims to be by the given %s key", k.Kind)
	}
	return nil
}

// trimDER cuts off the zero bytes that imgtool's --pad-sig appends. Signatures
// on these curves are short enough for a one-byte length.
func trimDER(sig []byte) ([]byte, bool) {
	if len(sig) < 2 || sig[0] != 0x30 || sig[1] >= 0x80 {
		return nil, false
	}
	end := 2 + int(sig[1])
	if end > len(sig) || len(bytes.Trim(sig[end:], "\x00")) != 0 {
		return nil, false
	}
	return sig[:end], true
}
