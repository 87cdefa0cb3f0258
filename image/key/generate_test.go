package key_test

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

func pemBytes(t testing.TB, name string) []byte {
	t.Helper()
	block, _ := pem.Decode(keyFile(t, name))
	if block == nil {
		t.Fatalf("%s: not PEM", name)
	}
	return block.Bytes
}

func TestGenerate(t *testing.T) {
	names := map[string]string{"rsa-2048": "RSA-2048", "rsa-3072": "RSA-3072", "ecdsa-p256": "ECDSA P-256",
		"ecdsa-p384": "ECDSA P-384", "ed25519": "Ed25519", "x25519": "X25519"}
	for _, keyType := range key.Types() {
		private, err := key.Generate(keyType)
		if err != nil {
			t.Fatalf("%s: %v", keyType, err)
		}
		file, err := key.MarshalPrivate(private, nil)
		if err != nil {
			t.Fatalf("%s: %v", keyType, err)
		}
		if !bytes.HasPrefix(file, []byte("-----BEGIN PRIVATE KEY-----\n")) {
			t.Errorf("%s: not PKCS#8 in PEM:\n%s", keyType, file[:40])
		}
		pub, err := key.PublicHalf(file, nil)
		if err != nil {
			t.Fatalf("%s: %v", keyType, err)
		}
		if !samePublic(pub, private.(interface{ Public() crypto.PublicKey }).Public()) {
			t.Errorf("%s: another key after writing and reading", keyType)
		}
		if name, err := key.Name(pub); err != nil || name != names[keyType] {
			t.Errorf("%s: a key of kind %q, %v, want %q", keyType, name, err, names[keyType])
		}
		other, err := key.Generate(keyType)
		if err != nil || samePublic(pub, other.(interface{ Public() crypto.PublicKey }).Public()) {
			t.Errorf("%s: the next key is the same, or %v", keyType, err)
		}
	}
	if k, err := key.Generate("rsa-4096"); kindOf(t, err) != string(image.ErrBadKey) || k != nil {
		t.Errorf("rsa-4096: %v, %v, want kind %q", k, err, image.ErrBadKey)
	}
}

// TestMarshalPrivate writes the vectors' keys again, byte for byte as imgtool and OpenSSL have them.
func TestMarshalPrivate(t *testing.T) {
	for _, name := range slices.Concat(exportedKeys, []string{"enc-rsa-2048", "enc-ecdsa-p256", "other-ed25519"}) {
		var private crypto.PrivateKey
		var err error
		if strings.HasPrefix(name, "enc-") {
			private, err = key.ParseDecryption(keyFile(t, name+".pem"), nil)
		} else {
			private, err = key.ParsePrivate(keyFile(t, name+".pem"), nil)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := key.MarshalPrivate(private, nil); err != nil || !bytes.Equal(got, keyFile(t, name+".pem")) {
			t.Errorf("%s: %v, differs from the file:\n%s", name, err, got)
		}
	}
	if got, err := key.MarshalPrivate("key", nil); kindOf(t, err) != string(image.ErrBadKey) || got != nil {
		t.Errorf("a string as key: %q, %v, want kind %q", got, err, image.ErrBadKey)
	}
}

func TestMarshalPrivateEncrypted(t *testing.T) {
	want := readKey(t, "ed25519")
	private, err := key.ParsePrivate(keyFile(t, "ed25519.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for range 2 {
		file, err := key.MarshalPrivate(private, []byte("correct horse"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if file, err := key.MarshalPrivate(private, []byte{}); kindOf(t, err) != string(key.ErrPassphrase) || file != nil {
		t.Errorf("with an empty passphrase: %d bytes, %v, want kind %q", len(file), err, key.ErrPassphrase)
	}
	if bytes.Equal(files[0], files[1]) {
		t.Error("the same salt twice")
	}
	if _, err := key.ParsePrivate(files[0], secret); kindOf(t, err) != string(key.ErrPassphrase) {
		t.Errorf("with another passphrase: %v, want kind %q", err, key.ErrPassphrase)
	}
	got, err := key.ParsePrivate(files[0], func() ([]byte, error) { return []byte("correct horse"), nil })
	if err != nil || !samePublic(want, got.Public()) {
		t.Errorf("with its passphrase: %v, %v", got, err)
	}
}
