package image_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// TestRefuseVectors holds that each wrong signature of testdata is refused for what
// is wrong with it.
func TestRefuseVectors(t *testing.T) {
	tests := []struct {
		name, key, image string
		kind             image.Kind
		words            string
	}{
		{"neg-p256-signature-of-other-image", "ecdsa-p256", "ecdsa-p256", image.ErrSignatureInvalid, "by another key than d6707e59… (ECDSA P-256), or for another image"},
		{"neg-p256-double-hash", "ecdsa-p256", "ecdsa-p256", image.ErrSignatureTwice, "hashed the digest again"},
		{"neg-p256-wrong-key", "ecdsa-p256", "ecdsa-p256", image.ErrSignatureInvalid, "; if it is for this one, it is by key "},
		{"neg-p256-wrong-key", "ecdsa-p256", "ecdsa-p256", image.ErrSignatureInvalid, "16ea0388…"},
		{"neg-rsa-mgf1-sha1", "rsa-2048", "rsa-2048", image.ErrSignatureMGF, "MGF1 on SHA-1"},
		{"neg-rsa-pkcs1v15", "rsa-2048", "rsa-2048", image.ErrSignaturePKCS1, "PKCS#1 v1.5"},
		{"neg-rsa-pss-salt-max", "rsa-2048", "rsa-2048", image.ErrSignatureSalt, "a salt of 222 bytes, MCUboot wants 32"},
		{"neg-ed25519-payload-not-digest", "ed25519", "ed25519-digest256", image.ErrSignatureInput, "over the payload"},
		{"neg-ed25519-short", "ed25519", "ed25519-digest256", image.ErrSignatureFormat, "63 bytes"},
		{"neg-p256-empty", "ecdsa-p256", "ecdsa-p256", image.ErrSignatureEmpty, "is empty"},
		{"neg-p384-sha256", "ecdsa-p384", "ecdsa-p384", image.ErrSignatureHash, "over the SHA256 of the image, not over the SHA384"},
		{"neg-bootrecord-two-step", "ecdsa-p256", "", image.ErrSignatureInvalid, "or for another image"},
	}
	for _, test := range tests {
		file := "external/" + test.image + "/image.bin"
		if test.image == "" {
			file = "external/" + test.name + ".image.bin"
		}
		m := mustLoad(t, file)
		_, err := image.AcceptSignature(readKey(t, test.key), m.HashType(), false, m.Signed(), nil, readFile(t, "external/"+test.name+".sig.bin"))
		wantRefusal(t, test.name, err, test.kind, test.words)
	}
	// r‖s is no mistake: it is converted.
	m := mustLoad(t, "external/ecdsa-p256/image.bin")
	sig := readFile(t, "external/neg-p256-raw-rs-not-der.sig.bin")
	if _, err := image.AcceptSignature(readKey(t, "ecdsa-p256"), image.TLVSHA256, false, m.Signed(), nil, sig); err != nil {
		t.Errorf("r‖s: %v", err)
	}
}

func wantRefusal(t *testing.T, name string, err error, kind image.Kind, words string) {
	t.Helper()
	if got := kindOf(t, err); got != string(kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %q %v, want %q (%q)", name, got, err, words, kind)
	}
}

var (
	region    = bytes.Repeat([]byte("what is to be signed "), 99)
	wholeFile = append(bytes.Clone(region), "and its TLVs"...)
)

// TestExplainRSA makes the mistakes anew, so that nothing depends on one salt.
func TestExplainRSA(t *testing.T) {
	key, other := newRSA(t, 2048), newRSA(t, 2048)
	digest := sum(image.TLVSHA256, region)
	pss := func(hash crypto.Hash, salt int, digest []byte) []byte {
		sig, err := rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	pkcs1, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest)
	if err != nil {
		t.Fatal(err)
	}
	byOther, err := rsa.SignPSS(rand.Reader, other, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	beyond := key.N.FillBytes(make([]byte, 256))
	tests := []struct {
		name  string
		sig   []byte
		kind  image.Kind
		words string
	}{
		{"right", pss(crypto.SHA256, 32, digest), "", ""},
		{"PKCS#1 v1.5", pkcs1, image.ErrSignaturePKCS1, "PKCS#1 v1.5"},
		{"no salt", pss(crypto.SHA256, 0+20, digest), image.ErrSignatureSalt, "salt of 20 bytes"},
		{"longest salt", pss(crypto.SHA256, rsa.PSSSaltLengthAuto, digest), image.ErrSignatureSalt, "salt of 222 bytes"},
		{"SHA-512", pss(crypto.SHA512, 64, sum(image.TLVSHA512, region)), image.ErrSignatureHash, "SHA-512 of the image"},
		{"SHA-384", pss(crypto.SHA384, 32, sum(image.TLVSHA384, region)), image.ErrSignatureHash, "SHA-384 of the image"},
		{"hashed twice", pss(crypto.SHA256, 32, sum(image.TLVSHA256, digest)), image.ErrSignatureTwice, "hashed the digest again"},
		{"hashed twice, longest salt", pss(crypto.SHA256, 222, sum(image.TLVSHA256, digest)), image.ErrSignatureTwice, "hashed the digest again"},
		{"whole file", pss(crypto.SHA256, 32, sum(image.TLVSHA256, wholeFile)), image.ErrSignatureFile, "the whole file"},
		{"hex", pss(crypto.SHA256, 32, sum(image.TLVSHA256, []byte(hex.EncodeToString(digest)))), image.ErrSignatureText, "written as text"},
		{"other image", pss(crypto.SHA256, 32, sum(image.TLVSHA256, region[1:])), image.ErrSignatureData, "by the right key, but for another image"},
		{"other key", byOther, image.ErrSignatureKey, "by another key"},
		{"beyond the modulus", beyond, image.ErrSignatureKey, "by another key"},
		{"modulus - 1", new(big.Int).Sub(key.N, big.NewInt(1)).FillBytes(beyond[:256:256]), image.ErrSignatureKey, "by another key"},
	}
	for _, test := range tests {
		_, err := image.AcceptSignature(&key.PublicKey, image.TLVSHA256, false, region, wholeFile, test.sig)
		wantVerdict(t, test.name, err, test.kind, test.words)
	}
}

func wantVerdict(t *testing.T, name string, err error, kind image.Kind, words string) {
	t.Helper()
	if kind != "" {
		wantRefusal(t, name, err, kind, words)
	} else if err != nil {
		t.Errorf("%s: %v, want success", name, err)
	}
}

func newRSA(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestExplainECDSA(t *testing.T) {
	for _, c := range []struct {
		curve elliptic.Curve
		hash  image.TLVType
	}{{elliptic.P256(), image.TLVSHA256}, {elliptic.P384(), image.TLVSHA384}} {
		key, other := newECDSA(t, c.curve, c.hash).private, newECDSA(t, c.curve, c.hash).private
		digest := sum(c.hash, region)
		text := []byte(hex.EncodeToString(digest) + "\n")
		tests := []struct {
			name   string
			key    crypto.Signer
			signed []byte
			kind   image.Kind
			words  string
		}{
			{"right", key, digest, "", ""},
			{"hashed twice", key, sum(c.hash, digest), image.ErrSignatureTwice, "hashed the digest again"},
			{"hashed twice, SHA-256", key, sum(image.TLVSHA256, digest), image.ErrSignatureTwice, "hashed the digest again"},
			{"SHA-512", key, sum(image.TLVSHA512, region), image.ErrSignatureHash, "over the SHA512 of the image"},
			{"whole file", key, sum(image.TLVSHA256, wholeFile), image.ErrSignatureFile, "over the SHA256 of the whole file"},
			{"hex", key, sum(c.hash, text), image.ErrSignatureText, "written as text"},
			{"hex, not hashed", key, text, image.ErrSignatureText, "written as text"},
			{"other key", other, digest, image.ErrSignatureInvalid, "by another key than"},
			{"other image", key, sum(c.hash, region[1:]), image.ErrSignatureInvalid, "or for another image"},
		}
		for _, test := range tests {
			sig, err := test.key.Sign(rand.Reader, test.signed, crypto.Hash(0))
			if err != nil {
				t.Fatal(err)
			}
			_, err = image.AcceptSignature(key.Public().(*ecdsa.PublicKey), c.hash, false, region, wholeFile, sig)
			wantVerdict(t, c.curve.Params().Name+" "+test.name, err, test.kind, test.words)
			if id := keyID(t, other.Public(), c.hash); test.name == "other key" && !strings.Contains(err.Error(), id) {
				t.Errorf("%s other key: %v, want %s", c.curve.Params().Name, err, id)
			}
		}
	}
}

// keyID is how messages name a key.
func keyID(t *testing.T, pub crypto.PublicKey, hash image.TLVType) string {
	t.Helper()
	h, err := image.KeyHash(pub, hash)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h[:4]) + "…"
}

func TestExplainEd25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	prehashed := func(message []byte) []byte {
		sig, err := private.Sign(rand.Reader, sum(image.TLVSHA512, message), &ed25519.Options{Hash: crypto.SHA512})
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	sha256, sha512 := sum(image.TLVSHA256, region), sum(image.TLVSHA512, region)
	tests := []struct {
		name  string
		hash  image.TLVType
		pure  bool
		sig   []byte
		kind  image.Kind
		words string
	}{
		{"digest", image.TLVSHA256, false, ed25519.Sign(private, sha256), "", ""},
		{"digest 512", image.TLVSHA512, false, ed25519.Sign(private, sha512), "", ""},
		{"pure", image.TLVSHA512, true, ed25519.Sign(private, region), "", ""},
		{"payload for digest", image.TLVSHA256, false, ed25519.Sign(private, region), image.ErrSignatureInput, "over the payload"},
		{"digest for payload", image.TLVSHA512, true, ed25519.Sign(private, sha512), image.ErrSignatureInput, "over the digest"},
		{"SHA-512 for SHA-256", image.TLVSHA256, false, ed25519.Sign(private, sha512), image.ErrSignatureHash, "SHA512 of the image"},
		{"SHA-256 for SHA-512", image.TLVSHA512, false, ed25519.Sign(private, sha256), image.ErrSignatureHash, "SHA256 of the image"},
		{"hashed twice", image.TLVSHA256, false, ed25519.Sign(private, sum(image.TLVSHA512, sha256)), image.ErrSignatureTwice, "again"},
		{"Ed25519ph of the payload", image.TLVSHA256, false, prehashed(region), image.ErrSignaturePrehash, "Ed25519ph"},
		{"Ed25519ph of the digest", image.TLVSHA256, false, prehashed(sha256), image.ErrSignaturePrehash, "Ed25519ph"},
		{"Ed25519ph for pure", image.TLVSHA512, true, prehashed(region), image.ErrSignaturePrehash, "Ed25519ph"},
		{"whole file", image.TLVSHA512, true, ed25519.Sign(private, wholeFile), image.ErrSignatureFile, "the whole file"},
		{"hex", image.TLVSHA256, false, ed25519.Sign(private, []byte(hex.EncodeToString(sha256))), image.ErrSignatureText, "as text"},
		{"other key", image.TLVSHA256, false, ed25519.Sign(other, sha256), image.ErrSignatureInvalid, "by another key"},
		{"the digest itself", image.TLVSHA512, false, sha512, image.ErrSignatureFormat, "did not sign"},
		{"the digest in hex", image.TLVSHA256, false, []byte(hex.EncodeToString(sha256)), image.ErrSignatureFormat, "did not sign"},
	}
	for _, test := range tests {
		_, err := image.AcceptSignature(public, test.hash, test.pure, region, wholeFile, test.sig)
		wantVerdict(t, test.name, err, test.kind, test.words)
	}
}

// TestAttachVectors completes the images of the vectors with their signature from outside.
func TestAttachVectors(t *testing.T) {
	for _, v := range external {
		m := mustLoad(t, "external/"+v.name+"/image.bin")
		u, err := image.Again(m, readKey(t, v.key), image.AgainOptions{Hash: v.hash, Pure: v.pure})
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.Attach(readFile(t, "external/"+v.name+"/sig.b64"))
		if err != nil || !bytes.Equal(got, m.Bytes()) {
			t.Errorf("%s: %d bytes, %v, want imgtool's", v.name, len(got), err)
		}
		if got, err := u.Attach(readFile(t, "external/neg-p256-wrong-key.sig.bin")); err == nil || got != nil {
			t.Errorf("%s with a wrong signature: %d bytes, %v, want nothing and an error", v.name, len(got), err)
		}
	}
}

// TestAttachFile recognizes a hash over the files that are at hand.
func TestAttachFile(t *testing.T) {
	key := newECDSA(t, elliptic.P256(), image.TLVSHA256)
	body := bytes.Repeat([]byte("firmware"), 99)
	u, err := image.Build(body, key.private.Public(), image.BuildOptions{PadHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Attach(key.sign(t, sum(image.TLVSHA256, body)).Value)
	wantRefusal(t, "the input", err, image.ErrSignatureFile, "whole file")
	file, err := image.Sign(u, key.private, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := image.Again(mustParse(t, append(file, 0xff)), key.private.Public(), image.AgainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{file, append(file, 0xff)} {
		_, err = again.Attach(key.sign(t, sum(image.TLVSHA256, whole)).Value)
		wantRefusal(t, "the image", err, image.ErrSignatureFile, "whole file")
	}
}
