package wrongsig_test

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
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/internal/pubkey"
	"github.com/smpctl/smpctl/image/internal/sigform"
	"github.com/smpctl/smpctl/image/internal/wrongsig"
	"github.com/smpctl/smpctl/image/key"
)

const testdata = "../../../testdata/image"

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readKey(t testing.TB, name string) crypto.PublicKey {
	t.Helper()
	pub, err := key.ParsePublic(readFile(t, "keys/"+name+".pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func hashOf(hash crypto.Hash, b []byte) []byte {
	h := hash.New()
	h.Write(b)
	return h.Sum(nil)
}

// about is what a signature by a key has to be about.
func about(t testing.TB, pub crypto.PublicKey, hash crypto.Hash, pure bool, region, file []byte) wrongsig.Signed {
	t.Helper()
	k, err := pubkey.Signing(pub)
	if err != nil {
		t.Fatal(err)
	}
	return wrongsig.Signed{
		Key: k, Hash: hash, Pure: pure, Region: region, Digest: hashOf(hash, region),
		Files: func() [][]byte { return [][]byte{file} },
	}
}

// judge is what attaching does with a signature: nil is a right one.
func judge(s wrongsig.Signed, sig []byte) *wrongsig.Fault {
	message := s.Digest
	if s.Pure {
		message = s.Region
	}
	if b, ok := sigform.Normalize(s.Key.Kind, sig); ok && s.Key.Verify(message, b) {
		return nil
	}
	return s.Explain(sig)
}

// wantFault wants no fault if the label is "".
func wantFault(t *testing.T, name string, got *wrongsig.Fault, label, words string) {
	t.Helper()
	if got == nil {
		got = &wrongsig.Fault{}
	}
	if got.Label != label || !strings.Contains(got.Text, words) {
		t.Errorf("%s: %q (%s), want %q (%s)", name, got.Text, got.Label, words, label)
	}
}

// TestRefuseVectors holds that each wrong signature of testdata is refused for what
// is wrong with it.
func TestRefuseVectors(t *testing.T) {
	tests := []struct {
		name, key, image string
		label            string
		words            string
	}{
		{"neg-p256-signature-of-other-image", "ecdsa-p256", "ecdsa-p256", wrongsig.Invalid,
			"by another key than d6707e59… (ECDSA P-256), or for another image"},
		{"neg-p256-double-hash", "ecdsa-p256", "ecdsa-p256", wrongsig.Twice, "hashed the digest again"},
		{"neg-p256-wrong-key", "ecdsa-p256", "ecdsa-p256", wrongsig.Invalid,
			"by another key than d6707e59… (ECDSA P-256), or for another image"},
		{"neg-rsa-mgf1-sha1", "rsa-2048", "rsa-2048", wrongsig.MGF, "MGF1 on SHA-1"},
		{"neg-rsa-pkcs1v15", "rsa-2048", "rsa-2048", wrongsig.PKCS1, "PKCS#1 v1.5"},
		{"neg-rsa-pss-salt-max", "rsa-2048", "rsa-2048", wrongsig.Salt, "a salt of 222 bytes, MCUboot wants 32"},
		{"neg-ed25519-payload-not-digest", "ed25519", "ed25519-digest256", wrongsig.Input, "over the payload"},
		{"neg-ed25519-short", "ed25519", "ed25519-digest256", wrongsig.Format, "63 bytes"},
		{"neg-p256-empty", "ecdsa-p256", "ecdsa-p256", wrongsig.Empty, "is empty"},
		{"neg-p384-sha256", "ecdsa-p384", "ecdsa-p384", wrongsig.Hash,
			"over the SHA256 of the image, not over the SHA384"},
		{"neg-bootrecord-two-step", "ecdsa-p256", "", wrongsig.Invalid, "or for another image"},
	}
	for _, test := range tests {
		file := "external/" + test.image + "/image.bin"
		if test.image == "" {
			file = "external/" + test.name + ".image.bin"
		}
		m, err := image.Load(readFile(t, file))
		if err != nil {
			t.Fatal(err)
		}
		hash := map[image.TLVType]crypto.Hash{image.TLVSHA256: crypto.SHA256,
			image.TLVSHA384: crypto.SHA384}[m.HashType()]
		signed := about(t, readKey(t, test.key), hash, false, m.Signed(), nil)
		wantFault(t, test.name, judge(signed, readFile(t, "external/"+test.name+".sig.bin")), test.label, test.words)
	}
}

var (
	region    = bytes.Repeat([]byte("what is to be signed "), 99)
	wholeFile = append(bytes.Clone(region), "and its TLVs"...)
)

// TestExplainRSA makes the mistakes anew, so that nothing depends on one salt.
func TestExplainRSA(t *testing.T) {
	key, other := newRSA(t, 2048), newRSA(t, 2048)
	digest := hashOf(crypto.SHA256, region)
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
		label string
		words string
	}{
		{"right", pss(crypto.SHA256, 32, digest), "", ""},
		{"PKCS#1 v1.5", pkcs1, wrongsig.PKCS1, "PKCS#1 v1.5"},
		{"no salt", pss(crypto.SHA256, 0+20, digest), wrongsig.Salt, "salt of 20 bytes"},
		{"longest salt", pss(crypto.SHA256, rsa.PSSSaltLengthAuto, digest), wrongsig.Salt, "salt of 222 bytes"},
		{"SHA-512", pss(crypto.SHA512, 64, hashOf(crypto.SHA512, region)), wrongsig.Hash, "SHA-512 of the image"},
		{"SHA-384", pss(crypto.SHA384, 32, hashOf(crypto.SHA384, region)), wrongsig.Hash, "SHA-384 of the image"},
		{"hashed twice", pss(crypto.SHA256, 32, hashOf(crypto.SHA256, digest)), wrongsig.Twice,
			"hashed the digest again"},
		{"hashed twice, longest salt", pss(crypto.SHA256, 222, hashOf(crypto.SHA256, digest)), wrongsig.Twice,
			"hashed the digest again"},
		{"whole file", pss(crypto.SHA256, 32, hashOf(crypto.SHA256, wholeFile)), wrongsig.File, "the whole file"},
		{"hex", pss(crypto.SHA256, 32, hashOf(crypto.SHA256, []byte(hex.EncodeToString(digest)))), wrongsig.Text,
			"written as text"},
		{"other image", pss(crypto.SHA256, 32, hashOf(crypto.SHA256, region[1:])), wrongsig.Data,
			"by the right key, but for another image"},
		{"other key", byOther, wrongsig.Key, "by another key"},
		{"beyond the modulus", beyond, wrongsig.Key, "by another key"},
		{"modulus - 1", new(big.Int).Sub(key.N, big.NewInt(1)).FillBytes(beyond[:256:256]), wrongsig.Key,
			"by another key"},
	}
	for _, test := range tests {
		got := judge(about(t, &key.PublicKey, crypto.SHA256, false, region, wholeFile), test.sig)
		wantFault(t, test.name, got, test.label, test.words)
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
		hash  crypto.Hash
	}{{elliptic.P256(), crypto.SHA256}, {elliptic.P384(), crypto.SHA384}} {
		key, other := newECDSA(t, c.curve), newECDSA(t, c.curve)
		digest := hashOf(c.hash, region)
		text := []byte(hex.EncodeToString(digest) + "\n")
		tests := []struct {
			name   string
			key    crypto.Signer
			signed []byte
			label  string
			words  string
		}{
			{"right", key, digest, "", ""},
			{"hashed twice", key, hashOf(c.hash, digest), wrongsig.Twice, "hashed the digest again"},
			{"hashed twice, SHA-256", key, hashOf(crypto.SHA256, digest), wrongsig.Twice, "hashed the digest again"},
			{"SHA-512", key, hashOf(crypto.SHA512, region), wrongsig.Hash, "over the SHA512 of the image"},
			{"whole file", key, hashOf(crypto.SHA256, wholeFile), wrongsig.File, "over the SHA256 of the whole file"},
			{"hex", key, hashOf(c.hash, text), wrongsig.Text, "written as text"},
			{"hex, not hashed", key, text, wrongsig.Text, "written as text"},
			{"other key", other, digest, wrongsig.Invalid, "by another key than"},
			{"other image", key, hashOf(c.hash, region[1:]), wrongsig.Invalid, "or for another image"},
		}
		for _, test := range tests {
			sig, err := test.key.Sign(rand.Reader, test.signed, crypto.Hash(0))
			if err != nil {
				t.Fatal(err)
			}
			got := judge(about(t, key.Public(), c.hash, false, region, wholeFile), sig)
			wantFault(t, c.curve.Params().Name+" "+test.name, got, test.label, test.words)
		}
	}
}

func TestExplainEd25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	prehashed := func(message []byte) []byte {
		sig, err := private.Sign(rand.Reader, hashOf(crypto.SHA512, message), &ed25519.Options{Hash: crypto.SHA512})
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	sha256, sha512 := hashOf(crypto.SHA256, region), hashOf(crypto.SHA512, region)
	tests := []struct {
		name  string
		hash  crypto.Hash
		pure  bool
		sig   []byte
		label string
		words string
	}{
		{"digest", crypto.SHA256, false, ed25519.Sign(private, sha256), "", ""},
		{"digest 512", crypto.SHA512, false, ed25519.Sign(private, sha512), "", ""},
		{"pure", crypto.SHA512, true, ed25519.Sign(private, region), "", ""},
		{"payload for digest", crypto.SHA256, false, ed25519.Sign(private, region), wrongsig.Input, "over the payload"},
		{"digest for payload", crypto.SHA512, true, ed25519.Sign(private, sha512), wrongsig.Input, "over the digest"},
		{"SHA-512 for SHA-256", crypto.SHA256, false, ed25519.Sign(private, sha512), wrongsig.Hash,
			"SHA512 of the image"},
		{"SHA-256 for SHA-512", crypto.SHA512, false, ed25519.Sign(private, sha256), wrongsig.Hash,
			"SHA256 of the image"},
		{"hashed twice", crypto.SHA256, false, ed25519.Sign(private, hashOf(crypto.SHA512, sha256)), wrongsig.Twice,
			"again"},
		{"Ed25519ph of the payload", crypto.SHA256, false, prehashed(region), wrongsig.Prehash, "Ed25519ph"},
		{"Ed25519ph of the digest", crypto.SHA256, false, prehashed(sha256), wrongsig.Prehash, "Ed25519ph"},
		{"Ed25519ph for pure", crypto.SHA512, true, prehashed(region), wrongsig.Prehash, "Ed25519ph"},
		{"whole file", crypto.SHA512, true, ed25519.Sign(private, wholeFile), wrongsig.File, "the whole file"},
		{"hex", crypto.SHA256, false, ed25519.Sign(private, []byte(hex.EncodeToString(sha256))), wrongsig.Text,
			"as text"},
		{"other key", crypto.SHA256, false, ed25519.Sign(other, sha256), wrongsig.Invalid, "by another key"},
		{"the digest itself", crypto.SHA512, false, sha512, wrongsig.Format, "did not sign"},
		{"the digest in hex", crypto.SHA256, false, []byte(hex.EncodeToString(sha256)), wrongsig.Format,
			"did not sign"},
	}
	for _, test := range tests {
		got := judge(about(t, public, test.hash, test.pure, region, wholeFile), test.sig)
		wantFault(t, test.name, got, test.label, test.words)
	}
}

func newECDSA(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}
