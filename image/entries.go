package image

import "slices"

// all returns the entries in the order in which the bootloader walks them:
// protected first.
func (m *Image) all() []TLV { return slices.Concat(m.Protected, m.Unprotected) }

// checkEntries applies the rules on single entries and on combinations that hold
// for any bootloader and any key.
func (m *Image) checkEntries() error {
	hashes := 0
	for _, t := range m.all() {
		if err := t.checkLength(); err != nil {
			return err
		}
		if t.Type.isHash() {
			hashes++
		}
	}
	for _, t := range m.Unprotected {
		if t.Type.mustBeProtected() {
			return fail(ErrUnprotectedTLVNotAllowed,
				"TLV %s: stands outside the signed region, where anyone could have put it", t.Type)
		}
	}
	if hashes == 0 {
		return fail(ErrNoHash,
			"image hash: the image carries none, so neither device nor host could check it: sign it with imgtool")
	}
	return m.checkEncryption()
}

// checkEncryption wants an AES key in an encrypted image and none in a plain one.
func (m *Image) checkEncryption() error {
	var keys []TLV
	for _, t := range m.all() {
		if t.Type.isEncKey() {
			keys = append(keys, t)
		}
	}
	flags := m.Header.Flags & encryptionFlags
	switch {
	case flags == 0 && len(keys) == 0:
		return nil
	case flags == 0:
		return fail(ErrEncKeyConflict, "TLV %s: an encryption key, but the header has no encryption flag", keys[0].Type)
	case len(keys) == 0:
		// imgtool up to 2.4 writes such files for P-384 and Ed25519 encryption keys.
		return fail(ErrEncryptedWithoutKey,
			"image header: flag %s, but no TLV holds the encryption key, so no device can decrypt the image", flags)
	case len(keys) > 1:
		return fail(ErrEncKeyConflict, "TLV %s: the image already holds its encryption key in %s",
			keys[1].Type, keys[0].Type)
	case len(keys[0].Value) != keys[0].Type.encKeyLength(flags):
		return fail(ErrBadEncTLVLength, "TLV %s: %d bytes do not hold a key for %s",
			keys[0].Type, len(keys[0].Value), flags)
	}
	return nil
}
