package image_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"slices"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// TestVerifyEveryBit flips every bit of a signed image, one at a time: none of
// them may go unnoticed.
func TestVerifyEveryBit(t *testing.T) {
	key := readKey(t, "ed25519")
	file := slices.Clone(readFile(t, "images/ed25519-sha512.bin"))
	step := 1
	if testing.Short() {
		step = 37
	}
	for bit := 0; bit < 8*len(file); bit += step {
		file[bit/8] ^= 1 << (bit % 8)
		m, err := image.Parse(file)
		if err == nil {
			err = m.Verify(key)
		}
		if err == nil {
			t.Errorf("bit %d of byte %#x flipped: verified all the same", bit%8, bit/8)
		}
		file[bit/8] ^= 1 << (bit % 8)
	}
	if err := mustParse(t, file).Verify(key); err != nil {
		t.Errorf("the image as it was: %v", err)
	}
}

func TestVerifyPairing(t *testing.T) {
	mine, theirs := newECDSA(t, elliptic.P256(), image.TLVSHA256), newECDSA(t, elliptic.P256(), image.TLVSHA256)
	p := parts{body: []byte("body")}
	myKey, theirKey := mine.keyHash(t), theirs.keyHash(t)
	good, wrong := mine.over(t, p), mine.sign(t, make([]byte, 32))
	alien := theirs.over(t, p)
	spki := func(name string) image.TLV {
		block, _ := pem.Decode(readFile(t, "keys/"+name+".pub.pem"))
		return image.TLV{Type: image.TLVPubKey, Value: block.Bytes}
	}
	tests := []struct {
		name    string
		entries []image.TLV
		want    image.Kind
	}{
		{"key, signature", []image.TLV{myKey, good}, ""},
		{"signature, key", []image.TLV{good, myKey}, image.ErrKeyHashOrder},
		{"signature only", []image.TLV{good}, image.ErrNoKeyHash},
		{"key only", []image.TLV{myKey}, image.ErrNoSignature},
		{"nothing", nil, image.ErrNoSignature},
		{"their pair, my pair", []image.TLV{theirKey, alien, myKey, good}, ""},
		{"my pair, their pair", []image.TLV{myKey, good, theirKey, alien}, ""},
		{"their pair only", []image.TLV{theirKey, alien}, image.ErrKeyHashMismatch},
		{"my key replaced by theirs", []image.TLV{myKey, theirKey, good}, image.ErrKeyHashOrder},
		{"their key replaced by mine", []image.TLV{theirKey, myKey, good}, ""},
		{"my key, their signature", []image.TLV{myKey, alien}, image.ErrSignatureInvalid},
		{"a signature uses the key up", []image.TLV{myKey, good, alien}, ""},
		{"signed twice, second wrong", []image.TLV{myKey, good, myKey, wrong}, image.ErrSignatureInvalid},
		{"signed twice, first wrong: the last decides", []image.TLV{myKey, wrong, myKey, good}, ""},
		{"a signature of another type between", []image.TLV{myKey, zeros(image.TLVRSA2048PSS, 256), good}, ""},
		{"whole key of somebody else between", []image.TLV{myKey, spki("ecdsa-p256"), good}, ""},
		{"key of another signer, too long for this bootloader",
			[]image.TLV{zeros(image.TLVKeyHash, 64), alien, myKey, good}, image.ErrBadKeyHashLength},
		{"key hash of another length", []image.TLV{zeros(image.TLVKeyHash, 48), good}, image.ErrBadKeyHashLength},
		{"whole key of somebody else", []image.TLV{spki("ecdsa-p256"), good}, image.ErrKeyHashMismatch},
		{"pure mark", []image.TLV{{Type: image.TLVSigPure, Value: []byte{1}}, myKey, good}, image.ErrSignatureInvalid},
		{"only an RSA signature", []image.TLV{myKey, zeros(image.TLVRSA2048PSS, 256)}, image.ErrNoSignatureForKey},
	}
	for _, tt := range tests {
		p := p
		p.unprotected = tt.entries
		err := mustParse(t, p.hashed(image.TLVSHA256)).Verify(mine.private.Public())
		if got := kindOf(t, err); got != string(tt.want) {
			t.Errorf("%s: Verify = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestVerifyProtectedKeyEntry(t *testing.T) {
	s := newECDSA(t, elliptic.P384(), image.TLVSHA384)
	p := parts{body: []byte("body"), protected: []image.TLV{s.keyHash(t)}}
	p.unprotected = []image.TLV{s.over(t, p)}
	if err := mustParse(t, p.hashed(image.TLVSHA384)).Verify(s.private.Public()); err != nil {
		t.Errorf("Verify = %v: the bootloader walks the protected area first", err)
	}
}

// TestVerifyHashType pairs keys with image hashes that MCUboot does or does not
// put together.
func TestVerifyHashType(t *testing.T) {
	const s256, s384, s512 = image.TLVSHA256, image.TLVSHA384, image.TLVSHA512
	pure := image.TLV{Type: image.TLVSigPure, Value: []byte{1}}
	p256 := func(h image.TLVType) signer { return newECDSA(t, elliptic.P256(), h) }
	p384 := func(h image.TLVType) signer { return newECDSA(t, elliptic.P384(), h) }
	ed := func(h image.TLVType) signer { return newEd25519(t, h) }
	type hashes []image.TLVType
	tests := []struct {
		name   string
		signer signer
		hashes hashes
		pure   bool
		want   image.Kind
	}{
		{"P-256, SHA-256", p256(s256), hashes{s256}, false, ""},
		{"P-256, SHA-512", p256(s512), hashes{s512}, false, image.ErrHashSignatureMismatch},
		{"P-256 over SHA-512, both hashes", p256(s512), hashes{s256, s512}, false, image.ErrBadKeyHashLength},
		{"P-384, SHA-384", p384(s384), hashes{s384}, false, ""},
		{"P-384, SHA-256", p384(s256), hashes{s256}, false, image.ErrHashSignatureMismatch},
		{"Ed25519, SHA-256", ed(s256), hashes{s256}, false, ""},
		{"Ed25519, SHA-512", ed(s512), hashes{s512}, false, ""},
		{"Ed25519, SHA-384", ed(s384), hashes{s384}, false, image.ErrHashSignatureMismatch},
		{"Ed25519 over SHA-512, both hashes", ed(s512), hashes{s256, s512}, false, ""},
		{"Ed25519 over SHA-256, both hashes", ed(s256), hashes{s512, s256}, false, ""},
		{"Ed25519 pure, SHA-512", ed(s512), hashes{s512}, true, ""},
		{"Ed25519 pure, SHA-256", ed(s256), hashes{s256}, true, image.ErrHashSignatureMismatch},
	}
	for _, tt := range tests {
		p := parts{body: []byte("body")}
		if sig := tt.signer.over(t, p); tt.pure {
			p.unprotected = []image.TLV{pure, tt.signer.keyHash(t), tt.signer.sign(t, p.signed())}
		} else {
			p.unprotected = []image.TLV{tt.signer.keyHash(t), sig}
		}
		err := mustParse(t, p.hashed(tt.hashes...)).Verify(tt.signer.private.Public())
		if got := kindOf(t, err); got != string(tt.want) {
			t.Errorf("%s: Verify = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestVerifyPureMark(t *testing.T) {
	s := newEd25519(t, image.TLVSHA512)
	p := parts{body: []byte("body")}
	digest, whole := s.over(t, p), s.sign(t, p.signed())
	mark := func(values ...byte) (list []image.TLV) {
		for _, v := range values {
			list = append(list, image.TLV{Type: image.TLVSigPure, Value: []byte{v}})
		}
		return list
	}
	tests := []struct {
		name  string
		marks []image.TLV
		sig   image.TLV
		want  image.Kind
	}{
		{"no mark, over the hash", nil, digest, ""},
		{"no mark, over the image", nil, whole, image.ErrSignatureInvalid},
		{"mark, over the image", mark(1), whole, ""},
		{"mark, over the hash", mark(1), digest, image.ErrSignatureInvalid},
		{"zero mark, over the hash", mark(0), digest, image.ErrSignatureInvalid},
		{"zero mark, over the image", mark(0), whole, image.ErrSignatureInvalid},
		{"first mark counts", mark(1, 0), whole, ""},
		{"first mark counts, zero", mark(0, 1), whole, image.ErrSignatureInvalid},
	}
	for _, tt := range tests {
		p := p
		p.unprotected = append(tt.marks, s.keyHash(t), tt.sig)
		err := mustParse(t, p.hashed(image.TLVSHA512)).Verify(s.private.Public())
		if got := kindOf(t, err); got != string(tt.want) {
			t.Errorf("%s: Verify = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestVerifyECDSAPadding(t *testing.T) {
	s := newECDSA(t, elliptic.P384(), image.TLVSHA384)
	p := parts{body: []byte("body")}
	good := s.over(t, p).Value
	tests := []struct {
		name string
		sig  []byte
		want image.Kind
	}{
		{"none", good, ""},
		{"zeros up to 104", append(slices.Clone(good), make([]byte, 104-len(good))...), ""},
		{"one byte too few", good[:len(good)-1], image.ErrSignatureMalformed},
		{"another tag", append([]byte{0x31}, good[1:]...), image.ErrSignatureMalformed},
		{"long form of the length", slices.Concat([]byte{0x30, 0x81}, good[1:])[:100], image.ErrSignatureMalformed},
		{"zero integers", []byte{0x30, 6, 2, 1, 0, 2, 1, 0}, image.ErrSignatureInvalid},
		{"only zeros", make([]byte, 72), image.ErrSignatureMalformed},
	}
	if len(good) < 104 {
		tests = append(tests, struct {
			name string
			sig  []byte
			want image.Kind
		}{"a byte that is not zero", append(slices.Clone(good), 1), image.ErrSignatureMalformed})
	}
	for _, tt := range tests {
		p := p
		p.unprotected = []image.TLV{s.keyHash(t), {Type: image.TLVECDSASig, Value: tt.sig}}
		err := mustParse(t, p.hashed(image.TLVSHA384)).Verify(s.private.Public())
		if got := kindOf(t, err); got != string(tt.want) {
			t.Errorf("padding %s: Verify = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestVerifyRSAVariants embeds signatures that are right in other RSA schemes,
// as a key service with the wrong setting makes them.
func TestVerifyRSAVariants(t *testing.T) {
	key := readKey(t, "rsa-2048").(*rsa.PublicKey)
	m := mustLoad(t, "images/rsa-2048.bin")
	old := m.Signatures()[0].Value
	tests := []struct {
		file  string
		right func(sig []byte) error
	}{
		{"external/neg-rsa-pss-salt-max.sig.bin", func(sig []byte) error {
			return rsa.VerifyPSS(key, crypto.SHA256, m.Hash(), sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto})
		}},
		{"external/neg-rsa-pkcs1v15.sig.bin", func(sig []byte) error {
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, m.Hash(), sig)
		}},
	}
	for _, tt := range tests {
		sig := readFile(t, tt.file)
		if err := tt.right(sig); err != nil {
			t.Fatalf("%s is not even right in its own scheme: %v", tt.file, err)
		}
		err := mustParse(t, bytes.Replace(m.Bytes(), old, sig, 1)).Verify(key)
		if got := kindOf(t, err); got != string(image.ErrSignatureInvalid) {
			t.Errorf("%s: Verify = %q (%v), want %q", tt.file, got, err, image.ErrSignatureInvalid)
		}
	}
}

// TestVerifyTakesTheSameTimeForMany fills the area with entries that each could
// cost a hash over the file or a signature check.
func TestVerifyTakesTheSameTimeForMany(t *testing.T) {
	s := newEd25519(t, image.TLVSHA256)
	p := parts{body: make([]byte, 1<<20)}
	hash, name, good := image.TLV{Type: image.TLVSHA256, Value: sum(image.TLVSHA256, p.signed())}, s.keyHash(t),
		s.over(t, p)
	for range 450 {
		p.unprotected = append(p.unprotected, hash, name, good)
	}
	m := mustParse(t, p.bytes())
	allocated := testing.AllocsPerRun(1, func() {
		if err := m.Verify(s.private.Public()); err != nil {
			t.Error(err)
		}
	})
	if allocated > 200 { // a check of a signature takes some, a hash too
		t.Errorf("%v allocations for 450 hashes and signatures, want as many as for one", allocated)
	}
}

// TestVerifyEncrypted makes sure that an encrypted image never counts as
// verified, and that what can be checked still is.
func TestVerifyEncrypted(t *testing.T) {
	for _, hash := range []image.TLVType{image.TLVSHA256, image.TLVSHA512} {
		s, other := newEd25519(t, hash), newEd25519(t, hash)
		p := parts{header: image.Header{Flags: image.FlagEncryptedAES128}, body: []byte("not the plaintext")}
		enc := zeros(image.TLVEncX25519, 80)
		plain := sum(hash, []byte("the plaintext nobody here knows"))
		entries := func(extra ...image.TLV) []image.TLV {
			return append([]image.TLV{{Type: hash, Value: plain}, enc}, extra...)
		}
		tests := []struct {
			name    string
			entries []image.TLV
			want    image.Kind
		}{
			{"right key", entries(s.keyHash(t), s.sign(t, plain)), image.ErrEncrypted},
			{"other key", entries(other.keyHash(t), other.sign(t, plain)), image.ErrKeyHashMismatch},
			{"signature of another hash", entries(s.keyHash(t), s.sign(t, sum(hash, nil))), image.ErrSignatureInvalid},
			{"unsigned", entries(), image.ErrNoSignature},
			{"two hashes", entries(image.TLV{Type: hash, Value: sum(hash, nil)}, s.keyHash(t), s.sign(t, plain)),
				image.ErrHashMismatch},
			{"a hash of the ciphertext too",
				entries(image.TLV{Type: image.TLVSHA384, Value: sum(image.TLVSHA384, p.signed())}, s.keyHash(t),
					s.sign(t, plain)), image.ErrHashMismatch},
		}
		if hash == image.TLVSHA512 {
			pure := image.TLV{Type: image.TLVSigPure, Value: []byte{1}}
			tests = append(tests, struct {
				name    string
				entries []image.TLV
				want    image.Kind
			}{"pure", entries(pure, s.keyHash(t), s.sign(t, []byte("the plaintext"))), image.ErrEncrypted})
		}
		for _, tt := range tests {
			p := p
			p.unprotected = tt.entries
			err := mustParse(t, p.bytes()).Verify(s.private.Public())
			if got := kindOf(t, err); got != string(tt.want) {
				t.Errorf("%s, %s: Verify = %q (%v), want %q", hash, tt.name, got, err, tt.want)
			}
		}
	}
}

// TestApplications checks the images that the README and the command line tests
// use for what their names promise.
func TestApplications(t *testing.T) {
	pub, err := key.ParsePublic(readFile(t, "../app.pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]struct {
		version string
		kind    image.Kind
	}{
		"../app-1.0.0.bin":          {"1.0.0+0", ""},
		"../app-2.0.0.bin":          {"2.0.0+0", ""},
		"../app-3.0.0.bin":          {"3.0.0+0", ""},
		"../app-2.0.0-otherkey.bin": {"2.0.0+0", image.ErrKeyHashMismatch},
		"../app-2.0.0-corrupt.bin":  {"2.0.0+0", image.ErrHashMismatch},
	} {
		m := mustLoad(t, file)
		if got := kindOf(t, m.Verify(pub)); got != string(want.kind) || m.Header.Version.String() != want.version {
			t.Errorf("%s: version %s, Verify = %q, want %s, %q", file, m.Header.Version, got, want.version, want.kind)
		}
		if w := m.Warnings(); w != nil {
			t.Errorf("%s: warnings %q, want none", file, w)
		}
	}
}

func TestVerifyBadKeys(t *testing.T) {
	m := mustLoad(t, "images/ecdsa-p256.bin")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PublicKey{
		"nil":           nil,
		"RSA-1024":      &small.PublicKey,
		"empty RSA":     &rsa.PublicKey{},
		"P-224":         &p224.PublicKey,
		"empty ECDSA":   &ecdsa.PublicKey{},
		"short Ed25519": ed25519.PublicKey("short"),
		"private key":   newEd25519(t, image.TLVSHA256).private,
	} {
		if err := m.Verify(key); !errors.Is(err, image.ErrBadKey) {
			t.Errorf("%s: Verify = %v, want kind %q", name, err, image.ErrBadKey)
		}
	}
}
