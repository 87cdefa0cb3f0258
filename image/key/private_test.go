package key_test

import (
	"crypto"
	"crypto/ecdh"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// secret gives the passphrase of every encrypted file of testdata.
func secret() ([]byte, error) { return []byte("mcuboot-test"), nil }

// keyFile reads a file of testdata/keys, or of the vectors.
func keyFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../testdata/keys", name))
	if errors.Is(err, os.ErrNotExist) {
		return readFile(t, "keys/"+name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// samePublic reports whether two public keys are the same one.
func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// privateFiles are the files with a private key that signs, and the public key that goes with each.
var privateFiles = map[string][]string{
	"rsa-2048": {"rsa-2048.pem", "rsa-2048.pkcs1.pem", "rsa-2048.enc.pem", "rsa-2048.old.pem"},
	"rsa-3072": {"rsa-3072.pem"},
	"ecdsa-p256": {"ecdsa-p256.pem", "ecdsa-p256.sec1.pem", "ecdsa-p256.enc.pem", "ecdsa-p256.old.pem",
		"ecdsa-p256.params.pem", "ecdsa-p256.compressed.pem"},
	"ecdsa-p384": {"ecdsa-p384.pem"},
	"ed25519": {"ed25519.pem", "ed25519.enc.pem", "ed25519.sha1-aes128.pem", "ed25519.sha224-aes192.pem",
		"ed25519.sha256-des3.pem", "ed25519.sha384-aes256.pem", "ed25519.sha512-aes256.pem"},
}

func TestParsePrivate(t *testing.T) {
	for keyName, files := range privateFiles {
		want := readKey(t, keyName)
		for _, name := range files {
			asked := 0
			private, err := key.ParsePrivate(keyFile(t, name), func() ([]byte, error) { asked++; return secret() })
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !samePublic(want, private.Public()) {
				t.Errorf("%s: another key than %s", name, keyName)
			}
			encrypted := strings.Contains(string(keyFile(t, name)), "ENCRYPTED")
			if asked > 1 || (asked == 1) != encrypted {
				t.Errorf("%s: asked %d times for a passphrase", name, asked)
			}
			public, err := key.PublicHalf(keyFile(t, name), secret)
			if err != nil || !samePublic(want, public) {
				t.Errorf("%s: PublicHalf = %v, %v, want the key of %s", name, public, err, keyName)
			}
		}
	}
}

func TestPassphrase(t *testing.T) {
	const asked = "nobody answers"
	for _, name := range []string{"ed25519.enc.pem", "ed25519.sha256-des3.pem", "ecdsa-p256.old.pem",
		"rsa-2048.old.pem", "rsa-2048.enc.pem"} {
		data := keyFile(t, name)
		give := func(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }
		tests := []struct {
			name       string
			passphrase func() ([]byte, error)
			hint       string
		}{
			{"none", nil, "encrypted"},
			{"empty", give(""), "is empty"},
			{"wrong", give("mcuboot-tesT"), "is wrong"},
			{"with a line end", give("mcuboot-test\n"), "is wrong"},
		}
		for _, tt := range tests {
			k, err := key.ParsePrivate(data, tt.passphrase)
			if got := kindOf(t, err); got != string(key.ErrPassphrase) || k != nil ||
				!strings.Contains(err.Error(), tt.hint) {
				t.Errorf("%s, %s: ParsePrivate = %v, %q (%v), want nil, %q, a text with %q",
					name, tt.name, k, got, err, key.ErrPassphrase, tt.hint)
			}
		}
		k, err := key.ParsePrivate(data, func() ([]byte, error) { return nil, errors.New(asked) })
		if k != nil || err == nil || err.Error() != asked {
			t.Errorf("%s: ParsePrivate = %v, %v, want the error of the caller's function as it is", name, k, err)
		}
	}
}

// TestWrongPassphrases tries so many that some leave what looks well padded.
func TestWrongPassphrases(t *testing.T) {
	for _, name := range []string{"ecdsa-p256.old.pem", "ed25519.sha1-aes128.pem"} {
		data := keyFile(t, name)
		for i := range 600 {
			_, err := key.ParsePrivate(data, func() ([]byte, error) { return []byte{byte(i), byte(i >> 8), 'x'}, nil })
			if kindOf(t, err) != string(key.ErrPassphrase) {
				t.Fatalf("%s, passphrase %d: %v, want kind %q", name, i, err, key.ErrPassphrase)
			}
		}
	}
}

func TestParsePrivateRefuses(t *testing.T) {
	good, _ := pem.Decode(keyFile(t, "ecdsa-p256.pem"))
	block := func(typ string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	file := func(name string) string { return string(keyFile(t, name)) }
	tests := []struct{ name, pem, hint string }{
		{"nothing", "", "not a PEM"},
		{"DER", string(good.Bytes), "not a PEM"},
		{"cut short", file("ecdsa-p256.pem")[:120], "cut short"},
		{"two keys", file("ed25519.pem") + file("ecdsa-p256.pem"), "more than one"},
		{"parameters alone", file("ecdsa-p256.params.pem")[:74], "not a PEM"},
		{"public key", file("ed25519.pub.pem"), "only the public half"},
		{"public key in PKCS#1", file("rsa-2048.pkcs1.pub.pem"), "only the public half"},
		{"certificate", file("ed25519.crt.pem"), "only the public half"},
		{"message", block("MESSAGE", nil), `"MESSAGE"`},
		{"X25519", file("enc-x25519.pem"), "X25519"},
		{"OpenSSH", file("bad-openssh.pem"), "OpenSSH"},
		{"RSA-1024", file("bad-rsa-1024.pem"), "1024"},
		{"P-521", file("bad-p521.pem"), "P-521"},
		{"secp256k1", file("bad-secp256k1.pem"), "curve"},
		{"Ed448", file("bad-ed448.pem"), "unknown algorithm"},
		{"scrypt", file("ed25519.scrypt.pem"), "scrypt"},
		{"PBES1", file("ed25519.pbe1.pem"), "openssl pkcs8 -topk8"},
		{"Camellia", file("ed25519.camellia.pem"), "openssl pkcs8 -topk8"},
		{"half a key", block("PRIVATE KEY", good.Bytes[:70]), "private key"},
		{"SEC1 in name only", block("EC PRIVATE KEY", good.Bytes), "private key"},
		{"PKCS#1 in name only", block("RSA PRIVATE KEY", good.Bytes), "private key"},
		{"encrypted in name only", block("ENCRYPTED PRIVATE KEY", good.Bytes), "private key"},
		{"huge", block("RSA PRIVATE KEY", make([]byte, 9000)), "9000 bytes"},
		{"unknown old cipher", strings.Replace(file("ecdsa-p256.old.pem"), "AES-128-CBC", "RC2-CBC", 1), "private key"},
	}
	for _, tt := range tests {
		k, err := key.ParsePrivate([]byte(tt.pem), secret)
		if got := kindOf(t, err); got != string(image.ErrBadKey) || k != nil ||
			!strings.Contains(err.Error(), tt.hint) {
			t.Errorf("%s: ParsePrivate = %v, %q (%v), want nil, %q, a text with %q",
				tt.name, k, got, err, image.ErrBadKey, tt.hint)
		}
	}
}

// TestEncryptionKeys holds that an image encrypted for a key can be decrypted with its private half.
func TestEncryptionKeys(t *testing.T) {
	for _, name := range []string{"enc-rsa-2048", "enc-ecdsa-p256", "enc-x25519", "ecdsa-p256.enc", "ecdsa-p256.old"} {
		private, err := key.ParseDecryption(keyFile(t, name+".pem"), secret)
		if err != nil {
			t.Errorf("%s: ParseDecryption: %v", name, err)
			continue
		}
		public, ok := private.(interface{ Public() crypto.PublicKey })
		if !ok {
			t.Fatalf("%s: a %T has no public half", name, private)
		}
		from := []string{name + ".pub.pem", name + ".pem"}
		if strings.HasPrefix(name, "ecdsa") {
			from = []string{"ecdsa-p256.pub.pem", "ecdsa-p256.crt.pem", "ecdsa-p256.pem"}
		}
		for _, file := range from {
			got, err := key.ParseEncryption(keyFile(t, file))
			if err != nil || !samePublic(got, public.Public()) {
				t.Errorf("ParseEncryption(%s) = %v, %v, want the public half of %s", file, got, err, name)
			}
		}
	}
	if k, err := key.ParseDecryption(keyFile(t, "enc-x25519.pem"), nil); err != nil ||
		k.(*ecdh.PrivateKey).Curve() != ecdh.X25519() {
		t.Errorf("X25519: %v, %v", k, err)
	}
}

func TestEncryptionKeysRefuses(t *testing.T) {
	tests := []struct {
		file string
		want image.Kind
		hint string
	}{
		{"rsa-3072.pub.pem", image.ErrBadKey, "RSA-3072"},
		{"ecdsa-p384.pub.pem", image.ErrBadKey, "P-384"},
		{"ed25519.pub.pem", image.ErrBadKey, "Ed25519"},
		{"ed25519.pem", image.ErrBadKey, "Ed25519"},
		{"bad-rsa-4096.pub.pem", image.ErrBadKey, "4096"},
		{"ecdsa-p256.compressed.pub.pem", image.ErrBadKey, "conv_form uncompressed"},
		{"ecdsa-p256.enc.pem", key.ErrPassphrase, "encrypted"},
	}
	for _, tt := range tests {
		k, err := key.ParseEncryption(keyFile(t, tt.file))
		if got := kindOf(t, err); got != string(tt.want) || k != nil || !strings.Contains(err.Error(), tt.hint) {
			t.Errorf("ParseEncryption(%s) = %v, %q (%v), want nil, %q, a text with %q",
				tt.file, k, got, err, tt.want, tt.hint)
		}
	}
	for _, name := range []string{"rsa-3072.pem", "ecdsa-p384.pem", "ed25519.pem", "ecdsa-p256.pub.pem"} {
		if k, err := key.ParseDecryption(keyFile(t, name), nil); kindOf(t, err) != string(image.ErrBadKey) || k != nil {
			t.Errorf("ParseDecryption(%s) = %v, %v, want nil, kind %q", name, k, err, image.ErrBadKey)
		}
	}
}

func TestPublicHalfOfX25519(t *testing.T) {
	var got []crypto.PublicKey
	for _, name := range []string{"enc-x25519.pem", "enc-x25519.pub.pem"} {
		pub, err := key.PublicHalf(keyFile(t, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, pub)
	}
	if !samePublic(got[0], got[1]) {
		t.Errorf("public halves differ:\n%s", cmp.Diff(got[0], got[1]))
	}
	if _, err := key.PublicHalf(keyFile(t, "ed25519.enc.pem"),
		func() ([]byte, error) { return nil, io.EOF }); err != io.EOF {
		t.Errorf("error of the caller's function: %v, want it as it is", err)
	}
}
