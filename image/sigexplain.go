package image

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/hex"
)

// statement is what a signature from outside has to be about.
type statement struct {
	key    key
	hash   TLVType         // of the image
	pure   bool            // the region itself is signed, not its hash
	region []byte          // header, body and protected TLVs, all plain
	digest []byte          // hash of the region
	files  func() [][]byte // whole files that people hash by mistake
}

// message is what goes into the signature algorithm.
func (s statement) message() []byte {
	if s.pure {
		return s.region
	}
	return s.digest
}

// accept gives the signature as the image carries it, or says what is wrong with it.
func (s statement) accept(sig []byte) ([]byte, error) {
	b, err := s.key.normalize(sig)
	if err != nil {
		if s.isDigest(sig) {
			return nil, errDigestBack()
		}
		return nil, err
	}
	if s.key.verify(s.message(), b) == nil {
		return b, nil
	}
	if s.isDigest(sig) {
		return nil, errDigestBack()
	}
	if pub, ok := s.key.public.(*rsa.PublicKey); ok {
		return nil, s.explainRSA(pub, b)
	}
	return nil, s.explain(b)
}

// isDigest reports whether a signer handed back what it was given.
func (s statement) isDigest(sig []byte) bool {
	for _, b := range append(decodings(sig), sig) {
		if bytes.Equal(b, s.digest) || bytes.Equal(b, s.region) {
			return true
		}
	}
	return false
}

func errDigestBack() error {
	return fail(ErrSignatureFormat, "signature: is what the signer was given to sign: it did not sign")
}

// explain finds the mistake behind an ECDSA or Ed25519 signature, by trying what
// people sign instead. What fits none of it is by another key or over other data;
// these schemes cannot tell which, but ECDSA tells the key if the data are right.
func (s statement) explain(sig []byte) error {
	if pub, ok := s.key.public.(ed25519.PublicKey); ok {
		if err := s.explainPrehash(pub, sig); err != nil {
			return err
		}
	}
	for _, m := range s.mistakes() {
		if s.key.verify(m.message, sig) == nil {
			return m.error
		}
	}
	text := "signature: fits none of what can be signed here: it is by another key than %s (%s), or for another image or build of it"
	if keys := s.possibleKeys(sig); keys != "" {
		text += "; if it is for this one, it is by key " + keys
	}
	return fail(ErrSignatureInvalid, text, s.keyID(), s.key.name)
}

// explainPrehash looks for Ed25519ph, over the region or over its hash.
func (s statement) explainPrehash(pub ed25519.PublicKey, sig []byte) error {
	for _, m := range [][]byte{s.region, s.digest} {
		sum := sha512.Sum512(m)
		if ed25519.VerifyWithOptions(pub, sum[:], sig, &ed25519.Options{Hash: crypto.SHA512}) == nil {
			return fail(ErrSignaturePrehash, "signature: is Ed25519ph, MCUboot wants plain Ed25519: switch the signer to that (PureEdDSA, no pre-hash)")
		}
	}
	return nil
}

// keyID is the beginning of the key hash, as other messages show it.
func (s statement) keyID() string { return hex.EncodeToString(s.hash.sum(s.key.der)[:4]) + "…" }

// mistake is something that people sign instead of the message, and what to say.
type mistake struct {
	message []byte
	error   error
}

// mistakes lists them; each message is what goes into the signature algorithm.
func (s statement) mistakes() []mistake {
	list := s.inputMistakes()
	digest := s.digest
	for _, hash := range []TLVType{TLVSHA256, TLVSHA384, TLVSHA512} {
		list = append(list, mistake{hash.sum(digest), fail(ErrSignatureTwice,
			"signature: the signer hashed the digest again: give it the payload (--signer-input payload), or switch it to pre-hashed input")})
		if hash != s.hash {
			list = append(list, mistake{hash.sum(s.region), fail(ErrSignatureHash,
				"signature: is over the %s of the image, not over the %s that this one has", hash, s.hash)})
		}
		for _, file := range s.files() {
			list = append(list, mistake{hash.sum(file), fail(ErrSignatureFile,
				"signature: is over the %s of the whole file, not over header, body and protected TLVs: sign what sign prepare gives", hash)})
		}
		for _, text := range digestTexts(digest) {
			list = append(list, mistake{hash.sum(text), errText()})
		}
	}
	for _, text := range digestTexts(digest) {
		list = append(list, mistake{text, errText()})
	}
	return list
}

// inputMistakes are those of Ed25519, which signs messages of any length.
func (s statement) inputMistakes() []mistake {
	if s.key.sig != TLVEd25519 {
		return nil
	}
	var list []mistake
	if s.pure {
		list = append(list, mistake{s.digest, fail(ErrSignatureInput,
			"signature: is over the digest, but the image is to be signed pure: give the signer the payload, or leave --pure out")})
	} else {
		list = append(list, mistake{s.region, fail(ErrSignatureInput,
			"signature: is over the payload, but the image is to be signed over its digest: give the signer the digest, or sign with --pure")})
	}
	for _, file := range s.files() {
		list = append(list, mistake{file, fail(ErrSignatureFile,
			"signature: is over the whole file, not over header, body and protected TLVs: sign what sign prepare gives")})
	}
	return list
}

func errText() error {
	return fail(ErrSignatureText, "signature: is over the digest written as text: give the signer its bytes")
}

// digestTexts are the texts that a digest is passed on as.
func digestTexts(digest []byte) [][]byte {
	lower := []byte(hex.EncodeToString(digest))
	upper := bytes.ToUpper(lower)
	return [][]byte{lower, append(bytes.Clone(lower), '\n'), upper, append(bytes.Clone(upper), '\n')}
}
