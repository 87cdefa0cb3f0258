package image

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"
)

// explainFormat says what bytes look like that are no signature by this kind of
// key. decoded is the likeliest meaning of sig as text, or sig itself.
func (k key) explainFormat(sig, decoded []byte) error {
	if block, _ := pem.Decode(sig); block != nil && !strings.Contains(block.Type, "SIGNATURE") {
		return fail(ErrSignatureFormat, "signature: is a PEM block of type %.40q: want the bare signature", block.Type)
	}
	if len(decoded) == 0 {
		return fail(ErrSignatureEmpty, "signature: is a PEM block without content")
	}
	if text := unwrap(sig); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return fail(ErrSignatureFormat, "signature: is JSON: want the value of its signature field alone")
	}
	if k.sig == TLVECDSASig && decoded[0] == 0x30 {
		if n := derLength(decoded); n > len(decoded) {
			return fail(ErrSignatureFormat, "signature: is cut short, %d of %d bytes", len(decoded), n)
		}
	}
	if k.sig == TLVECDSASig && len(decoded) == 2*k.scalarSize() {
		return fail(ErrSignatureFormat, "signature: r‖s with a zero for r or s, which no signer makes")
	}
	return fail(ErrSignatureFormat, "signature: %d bytes%s, not a signature by an %s key, which is %s, in binary, base64, hex or PEM",
		len(decoded), lookLike(decoded), k.name, k.signatureForm())
}

// signatureForm describes the signatures of this kind of key.
func (k key) signatureForm() string {
	switch k.sig {
	case TLVRSA2048PSS:
		return "256 bytes"
	case TLVRSA3072PSS:
		return "384 bytes"
	case TLVEd25519:
		return "64 bytes"
	}
	return fmt.Sprintf("DER or %d bytes r‖s", 2*k.scalarSize())
}

// lookLike names the other kind of signature that bytes may be.
func lookLike(b []byte) string {
	name := ""
	switch _, _, der := splitDER(b); {
	case der:
		name = "ECDSA in DER"
	case len(b) == 32 || len(b) == 48:
		name = "a hash"
	case len(b) == 64:
		name = "Ed25519 or ECDSA P-256"
	case len(b) == 96:
		name = "ECDSA P-384"
	case len(b) == 256:
		name = "RSA-2048"
	case len(b) == 384:
		name = "RSA-3072"
	case len(b) == 512:
		name = "RSA-4096, which MCUboot does not know"
	case bytes.HasPrefix(b, []byte{0x30, 0x82}):
		name = "CMS or another ASN.1 structure"
	default:
		return ""
	}
	return " that look like " + name
}

// derLength is the length that a short DER element says it has, 0 if it does not.
func derLength(b []byte) int {
	switch {
	case len(b) >= 3 && b[1] == 0x81:
		return 3 + int(b[2])
	case len(b) >= 2 && b[1] < 0x80:
		return 2 + int(b[1])
	}
	return 0
}
