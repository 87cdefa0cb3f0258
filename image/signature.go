package image

// Signature is one signature of an image with the entry that names its key.
type Signature struct {
	TLV       // type and bytes of the signature
	Key  TLV  // the TLVKeyHash or TLVPubKey entry it goes with; Type is 0 if there is none
	Pure bool // made over the image itself, not over its hash
}

// Signatures returns the signatures in the order of the file, each paired as the
// bootloader pairs them: with the last key entry before it, which a signature
// uses up (MCUboot image_validate.c, bootutil_img_validate). An unsigned image
// has none.
func (m *Image) Signatures() []Signature {
	var list []Signature
	var key TLV
	pure := m.pure()
	for _, t := range m.all() {
		switch {
		case t.Type == TLVKeyHash || t.Type == TLVPubKey:
			key = t
		case t.Type.isSignature():
			list = append(list, Signature{TLV: t, Key: key, Pure: pure})
			key = TLV{}
		}
	}
	return list
}

// pure reads the SIG_PURE mark. Only the first one counts, and only the value 1.
func (m *Image) pure() bool {
	mark, ok := m.pureMark()
	return ok && mark == 1
}

func (m *Image) pureMark() (value byte, ok bool) {
	for _, t := range m.all() {
		if t.Type == TLVSigPure {
			return t.Value[0], true
		}
	}
	return 0, false
}
