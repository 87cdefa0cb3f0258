package image_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// readPrivate reads a private key of testdata.
func readPrivate(t testing.TB, name string) crypto.Signer {
	t.Helper()
	signer, err := key.ParsePrivate(readFile(t, "keys/"+name+".pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func mustBuild(t testing.TB, body []byte, pub crypto.PublicKey, o image.BuildOptions) *image.Unsigned {
	t.Helper()
	u, err := image.Build(body, pub, o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func mustSign(t testing.TB, u *image.Unsigned, s crypto.Signer) *image.Image {
	t.Helper()
	file, err := image.Sign(u, s, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return mustParse(t, file)
}

// TestSignVectors signs what imgtool signed with Ed25519, and wants its bytes.
func TestSignVectors(t *testing.T) {
	count := 0
	for _, r := range recipes() {
		want := mustLoad(t, "images/"+r.file)
		if filepath.Ext(r.file) == ".hex" || r.key != "ed25519" && r.key != "other-ed25519" {
			continue
		}
		count++
		key := readPrivate(t, r.key)
		file, err := image.Sign(mustBuild(t, want.Body(), key.Public(), r.o), key, rand.Reader)
		if err != nil || !bytes.Equal(file, want.Bytes()) {
			t.Errorf("%s: Sign gives %d other bytes than the %d of the file, %v",
				r.file, len(file), len(want.Bytes()), err)
		}
	}
	if count != 6 {
		t.Errorf("%d vectors, want 6", count)
	}
}

// TestSignTwice holds that every kind of key signs, and that what a second key
// signs again differs in nothing that is signed.
func TestSignTwice(t *testing.T) {
	keys := map[string]image.SignOptions{
		"rsa-2048": {}, "rsa-3072": {FullKey: true}, "ecdsa-p256": {PadSignature: true}, "ecdsa-p384": {FullKey: true},
		"ed25519": {Hash: image.TLVSHA512}, "other-ed25519": {Pure: true, FullKey: true},
	}
	for name, o := range keys {
		key := readPrivate(t, name)
		u := mustBuild(t, []byte("firmware"), key.Public(), image.BuildOptions{PadHeader: true, Sign: o})
		m := mustSign(t, u, key)
		if err := m.Verify(key.Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for other := range keys {
			second := readPrivate(t, other)
			u, err := image.Resign(m, second.Public(), image.SignOptions{})
			if err != nil {
				t.Errorf("%s, again by %s: %v", name, other, err)
				continue
			}
			again := mustSign(t, u, second)
			if err := again.Verify(second.Public()); err != nil || !bytes.Equal(again.Signed(), m.Signed()) {
				t.Errorf("%s, again by %s: %v, or other bytes under the signature", name, other, err)
			}
		}
	}
}

// wrongSigner has the public key of one and the private key of another.
type wrongSigner struct {
	crypto.Signer
	public crypto.PublicKey
	err    error
}

func (s wrongSigner) Public() crypto.PublicKey { return s.public }

func (s wrongSigner) Sign(r io.Reader, message []byte, o crypto.SignerOpts) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Signer.Sign(r, message, o)
}

func TestSignRefuses(t *testing.T) {
	right, wrong := readPrivate(t, "ecdsa-p256"), readPrivate(t, "other-ecdsa-p256")
	u := mustBuild(t, []byte("firmware"), right.Public(), image.BuildOptions{PadHeader: true})
	hashOnly := mustBuild(t, []byte("firmware"), nil, image.BuildOptions{PadHeader: true})
	tests := []struct {
		name   string
		u      *image.Unsigned
		signer crypto.Signer
		want   image.Kind
	}{
		{"no key in the image", hashOnly, right, image.ErrBadOption},
		{"another key", u, wrong, image.ErrKeyHashMismatch},
		{"another kind of key", u, readPrivate(t, "ed25519"), image.ErrKeyHashMismatch},
		{"a key that lies", u, wrongSigner{wrong, right.Public(), nil}, image.ErrSignatureInvalid},
		{"a refusal", u, wrongSigner{right, right.Public(), errors.New("locked")}, image.ErrSigner},
	}
	for _, tt := range tests {
		file, err := image.Sign(tt.u, tt.signer, rand.Reader)
		if got := kindOf(t, err); got != string(tt.want) || file != nil {
			t.Errorf("%s: Sign = %d bytes, %q (%v), want none, %q", tt.name, len(file), got, err, tt.want)
		}
	}
	if file, err := hashOnly.Attach([]byte("signature")); kindOf(t, err) != "bad-option" || file != nil {
		t.Errorf("a signature without a key: %v", err)
	}
	if file, err := u.Attach(nil); err == nil || file != nil {
		t.Errorf("no signature with a key: %d bytes, %v", len(file), err)
	}
}

// TestToBeSigned compares what an outside signer gets with imgtool's
// --vector-to-sign.
func TestToBeSigned(t *testing.T) {
	for _, v := range loadVectors(t).External {
		if v.Image == "" || len(v.Name) > 4 && v.Name[:4] == "neg-" || v.Name == "ecdsa-p256-encrypted" {
			continue
		}
		m := mustLoad(t, v.Image)
		pure := m.Signatures()[0].Pure
		o := image.BuildOptions{
			Version: m.Header.Version, HeaderSize: int(m.Header.HeaderSize), PadHeader: true,
			Sign: image.SignOptions{Hash: m.HashType(), Pure: pure},
		}
		if n, ok := m.SecurityCounter(); ok {
			o.SecurityCounter = &n
			o.CustomTLVs = []image.TLV{{Type: 0xa0, Value: []byte{1, 2}}}
		}
		u := mustBuild(t, m.Body(), readKey(t, v.Key), o)
		if !bytes.Equal(u.Payload(), m.Signed()) || !bytes.Equal(u.Digest(), m.Hash()) || u.Pure() != pure ||
			u.HashType() != m.HashType() {
			t.Errorf("%s: payload, digest or their kind differ", v.Name)
		}
		digest, err := os.ReadFile(filepath.Join(testdata, "external", v.Name, "digest.bin"))
		if err == nil && !pure && !bytes.Equal(digest, u.Digest()) {
			t.Errorf("%s: digest %x, imgtool wrote %x", v.Name, u.Digest(), digest)
		}
	}
}

func TestResignRefuses(t *testing.T) {
	key := readPrivate(t, "ecdsa-p256")
	for file, want := range map[string]image.Kind{
		"images/enc-ec256-aes128.bin":     image.ErrNotResignable,
		"images/enc-x25519-clear.bin":     image.ErrNotResignable,
		"images/comp-lzma2.bin":           image.ErrNotResignable,
		"images/prot-all.bin":             image.ErrNotResignable, // boot record of an RSA key
		"images/prot-bootrecord-p384.bin": image.ErrNotResignable,
		"bad/flip-last-payload-bit.bin":   image.ErrHashMismatch,
	} {
		u, err := image.Resign(mustLoad(t, file), key.Public(), image.SignOptions{})
		if got := kindOf(t, err); got != string(want) || u != nil {
			t.Errorf("%s: Resign = %t, %q (%v), want no image, %q", file, u != nil, got, err, want)
		}
	}
	own := readPrivate(t, "rsa-2048")
	if _, err := image.Resign(mustLoad(t, "images/prot-all.bin"), own.Public(), image.SignOptions{}); err != nil {
		t.Errorf("a boot record of the same key: %v", err)
	}
	if _, err := image.Resign(mustLoad(t, "images/rsa-2048.bin"), own.Public(),
		image.SignOptions{Hash: image.TLVSHA512}); kindOf(t, err) != "bad-option" {
		t.Errorf("SHA-512 with RSA: %v, want bad-option", err)
	}
}

// TestResignKeepsPadding signs padded files again: length and trailer stay.
func TestResignKeepsPadding(t *testing.T) {
	for _, name := range []string{"pad-align4", "confirm-align32", "confirm-overwrite-only"} {
		m := mustLoad(t, "images/"+name+".bin")
		before, _ := m.Trailer()
		for _, other := range []string{"ed25519", "rsa-3072"} {
			key := readPrivate(t, other)
			u, err := image.Resign(m, key.Public(), image.SignOptions{FullKey: true})
			if err != nil {
				t.Fatal(err)
			}
			again := mustSign(t, u, key)
			after, ok := again.Trailer()
			if !ok || after != before || len(again.Bytes()) != len(m.Bytes()) {
				t.Errorf("%s by %s: trailer %v of %d bytes, want %v of %d",
					name, other, after, len(again.Bytes()), before, len(m.Bytes()))
			}
			text, err := u.Hex(again.Bytes(), 0)
			if err != nil {
				t.Fatal(err)
			}
			flat, _, err := image.FromHex(text)
			if err != nil || !bytes.Equal(flat, again.Bytes()) || len(text) > 3*again.Size()+500 {
				t.Errorf("%s by %s: through Intel HEX: %d bytes of %d in a text of %d, %v",
					name, other, len(flat), len(again.Bytes()), len(text), err)
			}
			if rest := bytes.Trim(again.Bytes()[again.Size():], "\xff"); len(rest) > 64 {
				t.Errorf("%s by %s: left behind the image: %s", name, other, hex.EncodeToString(rest))
			}
		}
	}
	// A trailer that begins right behind the image leaves no room to grow.
	u := mustBuild(t, []byte("firmware"), nil,
		image.BuildOptions{PadHeader: true, SlotSize: 120, Pad: image.PadOnly, OverwriteOnly: true})
	file, err := u.Attach(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := readPrivate(t, "rsa-3072")
	if u, err = image.Resign(mustParse(t, file), key.Public(), image.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	if file, err := image.Sign(u, key, rand.Reader); kindOf(t, err) != "too-large" || file != nil {
		t.Errorf("a signature that does not fit: %d bytes, %v, want too-large", len(file), err)
	}
}
