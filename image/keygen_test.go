package image_test

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

func pemBytes(t testing.TB, name string) []byte {
	t.Helper()
	block, _ := pem.Decode(keyFile(t, name))
	if block == nil {
		t.Fatalf("%s: not PEM", name)
	}
	return block.Bytes
}

func TestGenerateKey(t *testing.T) {
	names := map[string]string{"rsa-2048": "RSA-2048", "rsa-3072": "RSA-3072", "ecdsa-p256": "ECDSA P-256", "ecdsa-p384": "ECDSA P-384",
		"ed25519": "Ed25519", "x25519": "X25519"}
	for _, keyType := range image.KeyTypes() {
		private, err := image.GenerateKey(keyType)
		if err != nil {
			t.Fatalf("%s: %v", keyType, err)
		}
		file, err := image.MarshalPrivateKey(private, nil)
		if err != nil {
			t.Fatalf("%s: %v", keyType, err)
		}
		if !bytes.HasPrefix(file, []byte("-----BEGIN PRIVATE KEY-----\n")) {
			t.Errorf("%s: not PKCS#8 in PEM:\n%s", keyType, file[:40])
		}
		pub, err := image.PublicHalf(file, nil)
		if err != nil {
			t.Fatalf("%s: %v", keyType, err)
		}
		if !samePublic(pub, private.(interface{ Public() crypto.PublicKey }).Public()) {
			t.Errorf("%s: another key after writing and reading", keyType)
		}
		if name, err := image.KeyName(pub); err != nil || name != names[keyType] {
			t.Errorf("%s: a key of kind %q, %v, want %q", keyType, name, err, names[keyType])
		}
		other, err := image.GenerateKey(keyType)
		if err != nil || samePublic(pub, other.(interface{ Public() crypto.PublicKey }).Public()) {
			t.Errorf("%s: the next key is the same, or %v", keyType, err)
		}
	}
	if key, err := image.GenerateKey("rsa-4096"); kindOf(t, err) != string(image.ErrBadKey) || key != nil {
		t.Errorf("rsa-4096: %v, %v, want kind %q", key, err, image.ErrBadKey)
	}
}

// TestMarshalPrivateKey writes the vectors' keys again, byte for byte as imgtool and OpenSSL have them.
func TestMarshalPrivateKey(t *testing.T) {
	for _, name := range slices.Concat(exportedKeys, []string{"enc-rsa-2048", "enc-ecdsa-p256", "other-ed25519"}) {
		var private crypto.PrivateKey
		var err error
		if strings.HasPrefix(name, "enc-") {
			private, err = image.ParseDecryptionKey(keyFile(t, name+".pem"), nil)
		} else {
			private, err = image.ParsePrivateKey(keyFile(t, name+".pem"), nil)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := image.MarshalPrivateKey(private, nil); err != nil || !bytes.Equal(got, keyFile(t, name+".pem")) {
			t.Errorf("%s: %v, differs from the file:\n%s", name, err, got)
		}
	}
	if got, err := image.MarshalPrivateKey("key", nil); kindOf(t, err) != string(image.ErrBadKey) || got != nil {
		t.Errorf("a string as key: %q, %v, want kind %q", got, err, image.ErrBadKey)
	}
}

func TestMarshalPrivateKeyEncrypted(t *testing.T) {
	want := readKey(t, "ed25519")
	private, err := image.ParsePrivateKey(keyFile(t, "ed25519.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for range 2 {
		file, err := image.MarshalPrivateKey(private, []byte("correct horse"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if file, err := image.MarshalPrivateKey(private, []byte{}); kindOf(t, err) != string(image.ErrPassphrase) || file != nil {
		t.Errorf("with an empty passphrase: %d bytes, %v, want kind %q", len(file), err, image.ErrPassphrase)
	}
	if bytes.Equal(files[0], files[1]) {
		t.Error("the same salt twice")
	}
	if _, err := image.ParsePrivateKey(files[0], secret); kindOf(t, err) != string(image.ErrPassphrase) {
		t.Errorf("with another passphrase: %v, want kind %q", err, image.ErrPassphrase)
	}
	got, err := image.ParsePrivateKey(files[0], func() ([]byte, error) { return []byte("correct horse"), nil })
	if err != nil || !samePublic(want, got.Public()) {
		t.Errorf("with its passphrase: %v, %v", got, err)
	}
}
