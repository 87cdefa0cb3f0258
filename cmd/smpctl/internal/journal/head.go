package journal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
)

// unsignedMost bounds the lines that no head is about. A head is written when there are as many, before the first line
// of another month, when a journal is closed, and when one is opened of which the last lines have none: a power cut
// leaves no more than these unsigned, and nobody who has no key can write more of them.
const unsignedMost = 64

// A head is signed in all that stands before its last key, behind a text that no other signature begins with.
const (
	headContext     = "smpctl records head 1\n"
	signatureBefore = `,"signature":"`
	signatureAfter  = `"}`
	signatureTail   = len(signatureBefore) + 2*ed25519.SignatureSize + len(signatureAfter)
)

// sign adds the signature to the line of a head.
func sign(line []byte, key ed25519.PrivateKey) []byte {
	signed := bytes.TrimSuffix(line, []byte("}"))
	signature := ed25519.Sign(key, append([]byte(headContext), signed...))
	line = append(bytes.Clone(signed), signatureBefore...)
	return append(hex.AppendEncode(line, signature), signatureAfter...)
}

var (
	errUnsigned   = errors.New("is a head without a signature")
	errForged     = errors.New("is a head whose signature is wrong")
	errForeignKey = errors.New("is a head that another key signed")
)

// checkHead checks the signature of a head against the key that it names, which is one of those given unless there are
// none.
func checkHead(line []byte, keys []ed25519.PublicKey) error {
	r, err := decode(line)
	if err != nil {
		return err
	}
	signature, ok := lowerHex(r.Signature, ed25519.SignatureSize)
	key, named := lowerHex(r.Key, ed25519.PublicKeySize)
	if !ok || !named || len(line) < signatureTail {
		return errUnsigned
	}
	signed, last := line[:len(line)-signatureTail], line[len(line)-signatureTail:]
	if string(last) != signatureBefore+r.Signature+signatureAfter {
		return errUnsigned
	}
	if !ed25519.Verify(key, append([]byte(headContext), signed...), signature) {
		return errForged
	}
	for _, k := range keys {
		if k.Equal(ed25519.PublicKey(key)) {
			return nil
		}
	}
	if len(keys) > 0 {
		return errForeignKey
	}
	return nil
}

// lowerHex reads bytes that can be written in one way only.
func lowerHex(s string, n int) ([]byte, bool) {
	b, err := hex.DecodeString(s)
	return b, err == nil && len(b) == n && hex.EncodeToString(b) == s
}
