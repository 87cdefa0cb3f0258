package key_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// TestHash compares with the key hashes that imgtool wrote.
func TestHash(t *testing.T) {
	type hashes struct{ SHA256, SHA384, SHA512 string }
	for _, v := range loadKeys(t) {
		pub, err := key.ParsePublic(readFile(t, v.PublicPEM))
		if v.Type == "x25519" {
			if !errors.Is(err, image.ErrBadKey) || !strings.Contains(err.Error(), "X25519") {
				t.Errorf("%s: ParsePublic = %v, want a word on X25519", v.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		hash := func(typ image.TLVType) string {
			h, err := key.Hash(pub, typ)
			if err != nil {
				t.Errorf("%s: Hash(%s): %v", v.Name, typ, err)
			}
			return hex.EncodeToString(h)
		}
		got := hashes{hash(image.TLVSHA256), hash(image.TLVSHA384), hash(image.TLVSHA512)}
		if want := (hashes{v.KeyHashSHA256, v.KeyHashSHA384, v.KeyHashSHA512}); got != want {
			t.Errorf("%s (-got +want):\n%s", v.Name, cmp.Diff(got, want))
		}
	}
	if _, err := key.Hash(readKey(t, "ed25519"), image.TLVKeyHash); !errors.Is(err, image.ErrBadKey) {
		t.Errorf("Hash by a type that is no hash: %v, want kind %q", err, image.ErrBadKey)
	}
}

// TestParsePublicForms holds that the form of the file makes no difference.
func TestParsePublicForms(t *testing.T) {
	der := func(name string) []byte {
		block, _ := pem.Decode(keyFile(t, name))
		return block.Bytes
	}
	tests := []struct {
		key, form string
		data      []byte
	}{
		{"rsa-2048", "PKCS#1", keyFile(t, "rsa-2048.pkcs1.pub.pem")},
		{"rsa-2048", "PKCS#1 DER", der("rsa-2048.pkcs1.pub.pem")},
		{"rsa-2048", "DER", der("rsa-2048.pub.pem")},
		{"ecdsa-p256", "DER", der("ecdsa-p256.pub.pem")},
		{"ed25519", "DER", der("ed25519.pub.pem")},
		{"rsa-2048", "certificate", keyFile(t, "rsa-2048.crt.pem")},
		{"ecdsa-p256", "certificate", keyFile(t, "ecdsa-p256.crt.pem")},
		{"ed25519", "certificate", keyFile(t, "ed25519.crt.pem")},
		{"ed25519", "certificate in DER", der("ed25519.crt.pem")},
		{"ed25519", "text in front", append([]byte("0 is not DER\n"), keyFile(t, "ed25519.pub.pem")...)},
	}
	for _, tt := range tests {
		got, err := key.ParsePublic(tt.data)
		if want := readKey(t, tt.key); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s as %s: %v, differs from the same key as SubjectPublicKeyInfo:\n%s",
				tt.key, tt.form, err, cmp.Diff(got, want))
		}
	}
}

func TestParsePublicRefuses(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(typ string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
	}
	good := readFile(t, "keys/ecdsa-p256.pub.pem")
	der, _ := pem.Decode(good)
	compressed, _ := pem.Decode(readFile(t, "keys/ecdsa-p256.compressed.pub.pem"))
	tests := []struct {
		name string
		pem  []byte
		hint string // in the error text
	}{
		{"nothing", nil, "not a PEM"},
		{"half of a DER", der.Bytes[:40], "public key"},
		{"compressed point as DER", compressed.Bytes, "conv_form uncompressed"},
		{"damaged PEM", good[:100], "damaged"},
		{"private key", block("PRIVATE KEY", pkcs8), "private"},
		{"SEC1 private key", block("EC PRIVATE KEY", pkcs8), "private"},
		{"encrypted private key", block("ENCRYPTED PRIVATE KEY", pkcs8), "private"},
		{"certificate in name only", block("CERTIFICATE", pkcs8), "public key"},
		{"message", block("MESSAGE", nil), `"MESSAGE"`},
		{"two keys", bytes.Repeat(good, 2), "more than one"},
		{"compressed point", readFile(t, "keys/ecdsa-p256.compressed.pub.pem"), "conv_form uncompressed"},
		{"RSA-4096", readFile(t, "keys/bad-rsa-4096.pub.pem"), "4096"},
		{"P-521", readFile(t, "keys/bad-p521.pub.pem"), "P-521"},
		{"cut short", block("PUBLIC KEY", der.Bytes[:80]), "public key"},
		{"point off the curve", block("PUBLIC KEY", append(bytes.Clone(der.Bytes[:90]), der.Bytes[90]^1)),
			"public key"},
		{"PKCS#1 in name only", block("RSA PUBLIC KEY", der.Bytes), "public key"},
	}
	for _, tt := range tests {
		pub, err := key.ParsePublic(tt.pem)
		if got := kindOf(t, err); got != string(image.ErrBadKey) || pub != nil ||
			!strings.Contains(err.Error(), tt.hint) {
			t.Errorf("%s: ParsePublic = %v, %q (%v), want nil, %q, a text with %q",
				tt.name, pub, got, err, image.ErrBadKey, tt.hint)
		}
	}
}
