package image_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/internal/wrongsig"
)

// external are the good signatures of testdata/image/external.
var external = []struct {
	name, key string
	hash      image.TLVType
	pure      bool
}{
	{"ecdsa-p256", "ecdsa-p256", image.TLVSHA256, false},
	{"ecdsa-p256-seccnt", "ecdsa-p256", image.TLVSHA256, false},
	{"ecdsa-p384", "ecdsa-p384", image.TLVSHA384, false},
	{"rsa-2048", "rsa-2048", image.TLVSHA256, false},
	{"rsa-3072", "rsa-3072", image.TLVSHA256, false},
	{"ed25519-digest256", "ed25519", image.TLVSHA256, false},
	{"ed25519-digest512", "ed25519", image.TLVSHA512, false},
	{"ed25519-pure", "ed25519", image.TLVSHA512, true},
}

func wantRefusal(t *testing.T, name string, err error, kind image.Kind, words string) {
	t.Helper()
	if got := kindOf(t, err); got != string(kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %q %v, want %q (%q)", name, got, err, words, kind)
	}
}

// TestAttachVectors completes the images of the vectors with their signature from outside.
func TestAttachVectors(t *testing.T) {
	for _, v := range external {
		m := mustLoad(t, "external/"+v.name+"/image.bin")
		u, err := image.Resign(m, readKey(t, v.key), image.SignOptions{Hash: v.hash, Pure: v.pure})
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
	wantRefusal(t, "the input", err, wrongsig.File, "whole file")
	file, err := image.Sign(u, key.private, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := image.Resign(mustParse(t, append(file, 0xff)), key.private.Public(), image.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{file, append(file, 0xff)} {
		_, err = again.Attach(key.sign(t, sum(image.TLVSHA256, whole)).Value)
		wantRefusal(t, "the image", err, wrongsig.File, "whole file")
	}
}

// TestAttachRefuses sees that the kinds are those of this package.
func TestAttachRefuses(t *testing.T) {
	u := mustBuild(t, []byte("firmware"), readKey(t, "ed25519"), image.BuildOptions{PadHeader: true})
	for _, test := range []struct {
		name string
		sig  []byte
		kind image.Kind
	}{
		{"nothing", nil, image.ErrSignatureEmpty},
		{"white space", bytes.Repeat([]byte{' '}, 64), image.ErrSignatureEmpty},
		{"an error message", []byte("permission denied\n"), image.ErrSignatureFormat},
		{"64 zeros", make([]byte, 64), image.ErrSignatureInvalid},
		{"the digest", u.Digest(), image.ErrSignatureFormat},
	} {
		_, err := u.Attach(test.sig)
		wantRefusal(t, test.name, err, test.kind, "signature: ")
	}
}
