// Package sigform reads signatures in the forms in which vaults, tokens and tools give them: binary, base64 and
// base64url with or without padding, hex with or without colons, PEM armour, Vault's vault:v1: prefix, quotes and white
// space around text, ECDSA as DER or as r ‖ s. Whether a signature fits anything is another question.
package sigform

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"github.com/smpctl/smpctl/image/internal/pubkey"
)

// MaxSize bounds what is read as a signature, in bytes: a thousand times a DER signature, and far above the longest RSA
// signature in hex.
const MaxSize = 64 << 10

// Normalize returns a signature in the form in which an image carries it: 256 or 384 bytes of RSA, DER of ECDSA, 64
// bytes of Ed25519. ok is false if the bytes are no signature by this kind of key.
func Normalize(kind pubkey.Kind, sig []byte) (normal []byte, ok bool) {
	if len(sig) > MaxSize || len(bytes.TrimSpace(sig)) == 0 {
		return nil, false
	}
	if s, ok := embedded(kind, sig); ok {
		return s, true
	}
	for _, binary := range Decode(sig) {
		if s, ok := embedded(kind, binary); ok {
			return s, true
		}
	}
	return nil, false
}

// embedded returns a binary signature as an image carries it, and false if it
// cannot be one of this kind of key.
func embedded(kind pubkey.Kind, b []byte) ([]byte, bool) {
	size := kind.ScalarSize()
	if size == 0 {
		return bytes.Clone(b), len(b) == kind.SignatureSize()
	}
	if r, s, ok := SplitDER(b); ok && len(r) <= size && len(s) <= size {
		return encodeDER(r, s), true
	}
	if len(b) != 2*size {
		return nil, false
	}
	r, s := bytes.TrimLeft(b[:size], "\x00"), bytes.TrimLeft(b[size:], "\x00")
	if len(r) == 0 || len(s) == 0 {
		return nil, false
	}
	return encodeDER(r, s), true
}

// SplitDER reads SEQUENCE { INTEGER r, INTEGER s } and gives both without leading
// zeros. It is lenient with what tokens write and a verifier would refuse: integers
// with too many leading zeros, or with the one missing that keeps them positive,
// and zero bytes behind (imgtool sign --pad-sig).
func SplitDER(b []byte) (r, s []byte, ok bool) {
	body, rest, ok := cutDER(b, 0x30)
	if !ok || len(bytes.Trim(rest, "\x00")) != 0 {
		return nil, nil, false
	}
	r, body, ok = cutDER(body, 0x02)
	if !ok {
		return nil, nil, false
	}
	s, body, ok = cutDER(body, 0x02)
	r, s = bytes.TrimLeft(r, "\x00"), bytes.TrimLeft(s, "\x00")
	return r, s, ok && len(body) == 0 && len(r) > 0 && len(s) > 0
}

// cutDER takes one element with the tag off b. Lengths up to 255 do.
func cutDER(b []byte, tag byte) (value, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, b := int(b[1]), b[2:]
	if n == 0x81 && len(b) > 0 {
		n, b = int(b[0]), b[1:]
	} else if n >= 0x80 {
		return nil, nil, false
	}
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// encodeDER is the reverse, of numbers above 0. Those of at most 48 bytes need no long form of the length.
func encodeDER(r, s []byte) []byte {
	var body []byte
	for _, n := range [][]byte{r, s} {
		if n[0] >= 0x80 {
			n = append([]byte{0}, n...)
		}
		body = append(append(body, 0x02, byte(len(n))), n...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}

// Decode returns what the bytes may stand for as text, the likeliest first.
// Any text of hex digits is good base64 too, and hardly any base64 is hex.
func Decode(sig []byte) [][]byte {
	if block, _ := pem.Decode(sig); block != nil {
		return [][]byte{block.Bytes}
	}
	var list [][]byte
	text := Unwrap(sig)
	digits := strings.TrimPrefix(strings.ReplaceAll(text, ":", ""), "0x")
	if b, err := hex.DecodeString(digits); err == nil && len(b) > 0 {
		list = append(list, b)
	}
	if b, err := base64.RawStdEncoding.DecodeString(standardBase64(text)); err == nil && len(b) > 0 {
		list = append(list, b)
	}
	// A binary signature with a newline behind it, from a script that meant well.
	// Behind the whole, whose last byte may be that of a newline.
	return append(list, sig, bytes.TrimRight(sig, "\r\n"))
}

// Unwrap takes off what stands around encoded text: a byte order mark, white
// space, quotes, Vault's prefix. Windows PowerShell redirects output as UTF-16.
func Unwrap(sig []byte) string {
	if rest, ok := bytes.CutPrefix(sig, []byte{0xff, 0xfe}); ok {
		sig = bytes.ReplaceAll(rest, []byte{0}, nil)
	}
	sig = bytes.TrimPrefix(sig, []byte("\xef\xbb\xbf"))
	text := strings.Trim(strings.Join(strings.Fields(string(sig)), ""), `"'`)
	if rest, ok := strings.CutPrefix(text, "vault:v"); ok {
		if version, value, ok := strings.Cut(rest, ":"); ok && strings.Trim(version, "0123456789") == "" {
			text = value
		}
	}
	return text
}

// standardBase64 makes base64url standard, and takes the padding off.
func standardBase64(text string) string {
	return strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
}
