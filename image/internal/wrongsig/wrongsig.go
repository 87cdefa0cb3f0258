// Package wrongsig finds out what is wrong with a signature that was made outside. It only words errors: nothing here
// accepts a signature.
package wrongsig

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/image/internal/pubkey"
	"github.com/smpctl/smpctl/image/internal/sigform"
)

// Labels of the mistakes that people make with vaults and tokens.
const (
	Invalid = "signature-invalid"      // by another key or over something else: not known which
	Empty   = "signature-empty"        // no bytes at all
	Format  = "signature-format"       // no known encoding of a signature by this kind of key, or cut short
	Twice   = "signature-hashed-twice" // the signer hashed the digest again
	Text    = "signature-of-text"      // over the digest written as text
	Hash    = "signature-other-hash"   // over another hash of the right data
	Input   = "signature-other-input"  // over the payload instead of the digest, or the reverse
	File    = "signature-of-file"      // over a whole file instead of the region that is signed
	Prehash = "signature-ed25519ph"    // Ed25519ph, which MCUboot does not know
	PKCS1   = "signature-pkcs1v15"     // RSA with PKCS#1 v1.5 padding instead of PSS
	Salt    = "signature-salt"         // RSA-PSS with a salt of another length than 32
	MGF     = "signature-mgf1"         // RSA-PSS with another hash in MGF1 than SHA-256
	Key     = "signature-other-key"    // certainly by another key
	Data    = "signature-other-data"   // certainly by this key, over something else
)

// Fault says what is wrong with a signature.
type Fault struct {
	Label string // for programs
	Text  string // for people: one line that goes on behind "signature: "
}

func fault(label, format string, args ...any) *Fault {
	return &Fault{label, fmt.Sprintf(format, args...)}
}

// Signed is what a signature has to be about.
type Signed struct {
	Key    pubkey.Key      // that the signature must be by
	Hash   crypto.Hash     // of the image
	Pure   bool            // the region itself is signed, not its hash
	Region []byte          // header, body and protected TLVs, all plain
	Digest []byte          // hash of the region
	Files  func() [][]byte // whole files that people hash by mistake
}

// Explain says why sig, which was not accepted, is wrong.
func (s Signed) Explain(sig []byte) *Fault {
	if s.handedBack(sig) {
		return fault(Format, "is what the signer was given to sign: it did not sign")
	}
	b, ok := sigform.Normalize(s.Key.Kind, sig)
	if !ok {
		return explainForm(s.Key.Kind, sig)
	}
	switch pub := s.Key.Public.(type) {
	case *rsa.PublicKey:
		return s.explainRSA(pub, b)
	case ed25519.PublicKey:
		if f := s.explainPrehash(pub, b); f != nil {
			return f
		}
	}
	return s.explainMessage(b)
}

// handedBack reports whether a signer handed back what it was given.
func (s Signed) handedBack(sig []byte) bool {
	for _, b := range append(sigform.Decode(sig), sig) {
		if bytes.Equal(b, s.Digest) || bytes.Equal(b, s.Region) {
			return true
		}
	}
	return false
}

// explainMessage finds the mistake behind an ECDSA or Ed25519 signature, by trying what people sign instead. What fits
// none of it is by another key or over other data; these schemes cannot tell which.
func (s Signed) explainMessage(sig []byte) *Fault {
	for _, m := range s.mistakes() {
		if s.Key.Verify(m.message, sig) {
			return m.fault
		}
	}
	return fault(Invalid,
		"fits none of what can be signed here: it is by another key than %s (%s), or for another image or build of it",
		s.keyID(), s.Key.Kind)
}

// explainPrehash looks for Ed25519ph, over the region or over its hash.
func (s Signed) explainPrehash(pub ed25519.PublicKey, sig []byte) *Fault {
	for _, m := range [][]byte{s.Region, s.Digest} {
		sum := sha512.Sum512(m)
		if ed25519.VerifyWithOptions(pub, sum[:], sig, &ed25519.Options{Hash: crypto.SHA512}) == nil {
			return fault(Prehash,
				"is Ed25519ph, MCUboot wants plain Ed25519: switch the signer to that (PureEdDSA, no pre-hash)")
		}
	}
	return nil
}

// keyID is the beginning of the key hash, as other messages show it.
func (s Signed) keyID() string { return hex.EncodeToString(s.Key.Hash(s.Hash)[:4]) + "…" }

// mistake is something that people sign instead of the message, and what to say.
type mistake struct {
	message []byte
	fault   *Fault
}

// mistakes lists them; each message is what goes into the signature algorithm.
func (s Signed) mistakes() []mistake {
	list := s.inputMistakes()
	digest := s.Digest
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		name := plainName(hash)
		list = append(list, mistake{sum(hash, digest), fault(Twice,
			"the signer hashed the digest again: give it the payload (--signer-input payload), or switch it to "+
				"pre-hashed input")})
		if hash != s.Hash {
			list = append(list, mistake{sum(hash, s.Region), fault(Hash,
				"is over the %s of the image, not over the %s that this one has", name, plainName(s.Hash))})
		}
		for _, file := range s.Files() {
			list = append(list, mistake{sum(hash, file), fault(File,
				"is over the %s of the whole file, not over header, body and protected TLVs: sign what sign prepare "+
					"gives", name)})
		}
		for _, text := range digestTexts(digest) {
			list = append(list, mistake{sum(hash, text), textFault()})
		}
	}
	for _, text := range digestTexts(digest) {
		list = append(list, mistake{text, textFault()})
	}
	return list
}

// inputMistakes are those of Ed25519, which signs messages of any length.
func (s Signed) inputMistakes() []mistake {
	if s.Key.Kind != pubkey.Ed25519 {
		return nil
	}
	var list []mistake
	if s.Pure {
		list = append(list, mistake{s.Digest, fault(Input,
			"is over the digest, but the image is to be signed pure: give the signer the payload, "+
				"or leave --pure out")})
	} else {
		list = append(list, mistake{s.Region, fault(Input,
			"is over the payload, but the image is to be signed over its digest: give the signer the digest, or sign "+
				"with --pure")})
	}
	for _, file := range s.Files() {
		list = append(list, mistake{file, fault(File,
			"is over the whole file, not over header, body and protected TLVs: sign what sign prepare gives")})
	}
	return list
}

func textFault() *Fault {
	return fault(Text, "is over the digest written as text: give the signer its bytes")
}

// digestTexts are the texts that a digest is passed on as.
func digestTexts(digest []byte) [][]byte {
	lower := []byte(hex.EncodeToString(digest))
	upper := bytes.ToUpper(lower)
	return [][]byte{lower, append(bytes.Clone(lower), '\n'), upper, append(bytes.Clone(upper), '\n')}
}

func sum(hash crypto.Hash, b []byte) []byte {
	h := hash.New()
	h.Write(b)
	return h.Sum(nil)
}

// plainName is the name of a hash as MCUboot writes it.
func plainName(hash crypto.Hash) string { return strings.ReplaceAll(hash.String(), "-", "") }
