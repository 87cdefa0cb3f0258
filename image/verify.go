package image

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
)

// Verify checks that the image is whole and signed by the owner of pub, with the
// eyes of a bootloader that knows this one key (MCUboot image_validate.c,
// bootutil_img_validate), and stricter where that one is lax: first the hash,
// then that the key's entry stands before the signature and matches in full,
// then the signature. If the key has signed several times, every signature has to
// hold, because the bootloader keeps the result of the last one.
//
// The nil error means all of that. For an encrypted image the best answer is
// [ErrEncrypted]: key and, unless it is made over the image itself, signature fit
// what the file says its hash is, but the body cannot be compared with it.
// Any other kind is a reason to keep the image away from a device with this key.
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
	if hidden {
		return fail(ErrEncrypted, "signature: fits the key, but that it covers this body cannot be checked without the decryption key")
	}
	return nil
}

// checkSignatures looks for the signatures of the key. The bootloader is built
// for one type of hash; where a key allows two, either will do.
func (m *Image) checkSignatures(k key, hidden bool) error {
	sigs, err := m.signaturesFor(k)
	if err != nil {
		return err
	}
	hashes, err := m.hashesFor(k)
	if err != nil {
		return err
	}
	var first error
	for _, hash := range hashes {
		err := m.checkKeyed(k, sigs, hash, hidden)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// signaturesFor returns the signatures of the type that the key makes.
func (m *Image) signaturesFor(k key) ([]Signature, error) {
	var sigs []Signature
	all := m.Signatures()
	for _, s := range all {
		if s.Type == k.sig {
			sigs = append(sigs, s)
		}
	}
	mark, marked := m.pureMark()
	switch {
	case len(all) == 0:
		return nil, fail(ErrNoSignature, "signature: the image is not signed")
	case len(sigs) == 0:
		return nil, fail(ErrNoSignatureForKey, "signature: the image has one of type %s, not one by an %s key", all[0].Type, k.name)
	case marked && mark != 1:
		return nil, fail(ErrSignatureInvalid, "signature: the SIG_PURE mark is 0x%02x instead of 0x01", mark)
	case marked && k.sig != TLVEd25519:
		return nil, fail(ErrSignatureInvalid, "signature: the SIG_PURE mark goes with Ed25519 only, not with %s", k.name)
	}
	return sigs, nil
}

// hashesFor returns the image's hash entries that go with the key.
func (m *Image) hashesFor(k key) ([]TLV, error) {
	var hashes []TLV
	for _, t := range m.all() {
		for _, allowed := range k.hashes {
			// A pure image still carries a hash, always SHA-512.
			if t.Type == allowed && (t.Type == TLVSHA512 || !m.pure()) {
				hashes = append(hashes, t)
			}
		}
	}
	if len(hashes) == 0 {
		return nil, fail(ErrHashSignatureMismatch, "signature: an image hash of type %s does not go with an %s key: signed with another kind of key?",
			m.HashType(), k.name)
	}
	return hashes, nil
}

// checkKeyed checks the signatures that the file says are by this key.
func (m *Image) checkKeyed(k key, sigs []Signature, hash TLV, hidden bool) error {
	found := false
	for _, s := range sigs {
		if !k.named(s.Key, hash.Type) {
			continue
		}
		found = true
		message := hash.Value
		if s.Pure {
			message = m.Signed()
		}
		if s.Pure && hidden {
			continue
		}
		if err := k.verify(message, s.Value); err != nil {
			return err
		}
	}
	if !found {
		return m.explainKey(k, hash.Type)
	}
	return nil
}

// named reports whether a key entry stands for the key.
func (k key) named(t TLV, hash TLVType) bool {
	switch t.Type {
	case TLVKeyHash:
		return bytes.Equal(t.Value, hash.sum(k.der))
	case TLVPubKey:
		return bytes.Equal(t.Value, k.der)
	}
	return false
}

// explainKey says why no signature belongs to the key.
func (m *Image) explainKey(k key, hash TLVType) error {
	want := hash.sum(k.der)
	var other error
	for _, t := range m.all() {
		switch {
		case k.named(t, hash):
			return fail(ErrKeyHashOrder, "signature: the given key is named, but not right before a signature, so the bootloader would not use it")
		case t.Type == TLVKeyHash && len(t.Value) != len(want):
			other = fail(ErrBadKeyHashLength, "signature: the key hash has %d bytes, with an image hash of type %s it has %d",
				len(t.Value), hash, len(want))
		case t.Type == TLVKeyHash && other == nil:
			other = fail(ErrKeyHashMismatch, "signature: by key %x…, not by the given %s key %x…", t.Value[:4], k.name, want[:4])
		case t.Type == TLVPubKey && other == nil:
			other = fail(ErrKeyHashMismatch, "signature: by key %x…, not by the given %s key %x…", hash.sum(t.Value)[:4], k.name, want[:4])
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
	valid := false
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		// The bootloader takes no other salt length, so neither may we.
		options := rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		valid = rsa.VerifyPSS(pub, crypto.SHA256, message, sig, &options) == nil
	case *ecdsa.PublicKey:
		der, ok := trimDER(sig)
		if !ok {
			return fail(ErrSignatureMalformed, "signature: not the DER encoding of an ECDSA signature: %x…", sig[:4])
		}
		valid = ecdsa.VerifyASN1(pub, message, der)
	case ed25519.PublicKey:
		valid = ed25519.Verify(pub, message, sig)
	}
	if !valid {
		return fail(ErrSignatureInvalid, "signature: does not fit the image, although it claims to be by the given %s key", k.name)
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
