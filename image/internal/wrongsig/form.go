package wrongsig

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/image/internal/pubkey"
	"github.com/smpctl/smpctl/image/internal/sigform"
)

// explainForm says what bytes look like that are no signature by this kind of key.
func explainForm(kind pubkey.Kind, sig []byte) *Fault {
	switch {
	case len(bytes.TrimSpace(sig)) == 0:
		return fault(Empty, "is empty")
	case len(sig) > sigform.MaxSize:
		return fault(Format, "is longer than %d KiB", sigform.MaxSize>>10)
	}
	decoded := sigform.Decode(sig)[0] // the likeliest
	if block, _ := pem.Decode(sig); block != nil && !strings.Contains(block.Type, "SIGNATURE") {
		return fault(Format, "is a PEM block of type %.40q: want the bare signature", block.Type)
	}
	if len(decoded) == 0 {
		return fault(Empty, "is a PEM block without content")
	}
	if text := sigform.Unwrap(sig); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return fault(Format, "is JSON: want the value of its signature field alone")
	}
	if kind.ScalarSize() > 0 && decoded[0] == 0x30 {
		if n := derLength(decoded); n > len(decoded) {
			return fault(Format, "is cut short, %d of %d bytes", len(decoded), n)
		}
	}
	if kind.ScalarSize() > 0 && len(decoded) == 2*kind.ScalarSize() {
		return fault(Format, "r‖s with a zero for r or s, which no signer makes")
	}
	return fault(Format, "%d bytes%s, not a signature by an %s key, which is %s, in binary, base64, hex or PEM",
		len(decoded), lookLike(decoded), kind, describe(kind))
}

// describe says what signatures of a kind are.
func describe(kind pubkey.Kind) string {
	if n := kind.SignatureSize(); n > 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("DER or %d bytes r‖s", 2*kind.ScalarSize())
}

// lookLike names the other kind of signature that bytes may be.
func lookLike(b []byte) string {
	name := ""
	switch _, _, der := sigform.SplitDER(b); {
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
