package key_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

var exportedKeys = []string{"rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519", "enc-x25519"}

func publicHalf(t testing.TB, name string) crypto.PublicKey {
	t.Helper()
	pub, err := key.PublicHalf(keyFile(t, name), secret)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return pub
}

// TestExports compares with what imgtool writes.
func TestExports(t *testing.T) {
	for _, name := range exportedKeys {
		for _, file := range []string{name + ".pem", name + ".pub.pem"} {
			pub := publicHalf(t, file)
			check := func(form string, got []byte, err error, want []byte) {
				t.Helper()
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s as %s: %v (-got +want)\n%s", file, form, err, cmp.Diff(string(got), string(want)))
				}
			}
			got, err := key.PublicC(pub, "")
			check("C", got, err, keyFile(t, name+".c"))
			got, err = key.PublicRust(pub, "")
			check("Rust", got, err, keyFile(t, name+".rs"))
			got, err = key.PublicPEM(pub)
			check("PEM", got, err, keyFile(t, name+".pub.pem"))
			got, err = key.HashC(pub, image.TLVSHA256, "")
			check("hash in C", got, err, keyFile(t, name+".hash.c"))
		}
	}
}

func TestPublicBytes(t *testing.T) {
	for _, v := range loadKeys(t) {
		der, err := key.PublicBytes(publicHalf(t, v.Name+".pub.pem"))
		if sum := sha256.Sum256(der); err != nil || hex.EncodeToString(sum[:]) != v.KeyHashSHA256 {
			t.Errorf("%s: hash of PublicBytes is %x, %v, want %s", v.Name, sum, err, v.KeyHashSHA256)
		}
	}
}

func TestExportSuffix(t *testing.T) {
	pub := publicHalf(t, "ecdsa-p384.pub.pem")
	tests := []struct {
		export func() ([]byte, error)
		want   []string
	}{
		{func() ([]byte, error) { return key.PublicC(pub, "_2a") },
			[]string{"const unsigned char ecdsap384_pub_key_2a[] = {\n",
				"\nconst unsigned int ecdsap384_pub_key_2a_len = 120;\n"}},
		{func() ([]byte, error) { return key.PublicRust(pub, "_2a") },
			[]string{"\nstatic ECDSAP384_PUB_KEY_2A: &[u8] = &[\n"}},
		{func() ([]byte, error) { return key.HashC(pub, image.TLVSHA384, "_2a") },
			[]string{"const unsigned char ecdsap384_pub_key_hash_2a[] = {\n",
				"\nconst unsigned int ecdsap384_pub_key_hash_2a_len = 48;\n"}},
	}
	for _, tt := range tests {
		got, err := tt.export()
		for _, want := range tt.want {
			if err != nil || !strings.Contains(string(got), want) {
				t.Errorf("got %v and\n%swant %q in it", err, got, want)
			}
		}
	}
}

// TestExportsRefuse sees that no function exports a key that MCUboot cannot use.
func TestExportsRefuse(t *testing.T) {
	exports := map[string]func(crypto.PublicKey) ([]byte, error){
		"PublicBytes": key.PublicBytes,
		"PublicPEM":   key.PublicPEM,
		"PublicC":     func(p crypto.PublicKey) ([]byte, error) { return key.PublicC(p, "") },
		"PublicRust":  func(p crypto.PublicKey) ([]byte, error) { return key.PublicRust(p, "") },
		"Hash":        func(p crypto.PublicKey) ([]byte, error) { return key.Hash(p, image.TLVSHA256) },
		"HashC":       func(p crypto.PublicKey) ([]byte, error) { return key.HashC(p, image.TLVSHA256, "") },
		"Name":        func(p crypto.PublicKey) ([]byte, error) { s, err := key.Name(p); return []byte(s), err },
	}
	for name, export := range exports {
		for _, pub := range []crypto.PublicKey{nil, "key", rsa4096(t)} {
			if got, err := export(pub); kindOf(t, err) != string(image.ErrBadKey) || len(got) > 0 {
				t.Errorf("%s of a %T = %d bytes, %v, want kind %q", name, pub, len(got), err, image.ErrBadKey)
			}
		}
	}
}

func rsa4096(t *testing.T) crypto.PublicKey {
	t.Helper()
	pub, err := x509.ParsePKIXPublicKey(pemBytes(t, "bad-rsa-4096.pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return pub
}
