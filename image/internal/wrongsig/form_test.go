package wrongsig_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/smpctl/smpctl/image/internal/wrongsig"
)

func TestExplainForm(t *testing.T) {
	p256 := readFile(t, "external/ecdsa-p256/sig.bin")
	tests := []struct {
		name, key string
		sig       []byte
		label     string
		words     string
	}{
		{"nothing", "rsa-2048", nil, wrongsig.Empty, "is empty"},
		{"white space", "ed25519", []byte(" \r\n\t"), wrongsig.Empty, "is empty"},
		{"much", "ed25519", make([]byte, 64<<10+1), wrongsig.Format, "longer than 64 KiB"},
		{"a short one", "ed25519", readFile(t, "external/neg-ed25519-short.sig.bin"), wrongsig.Format,
			"63 bytes, not a signature"},
		{"DER cut short", "ecdsa-p256", p256[:40], wrongsig.Format, "cut short, 40 of "},
		{"the same in base64", "ecdsa-p256", []byte(base64.StdEncoding.EncodeToString(p256[:40])), wrongsig.Format,
			"cut short, 40 of "},
		{"DER for RSA", "rsa-2048", p256, wrongsig.Format, "look like ECDSA in DER"},
		{"DER that ends like a line", "rsa-2048", append([]byte{0x30, 8, 2, 2, 1, 1, 2, 2, 1}, '\n'), wrongsig.Format,
			"look like ECDSA in DER"},
		{"RSA cut short that ends like a line", "rsa-2048", append(make([]byte, 254), '\n'), wrongsig.Format,
			"255 bytes, not a signature"},
		{"RSA for ECDSA", "ecdsa-p256", readFile(t, "external/rsa-2048/sig.bin"), wrongsig.Format,
			"look like RSA-2048"},
		{"RSA-2048 for RSA-3072", "rsa-3072", readFile(t, "external/rsa-2048/sig.b64"), wrongsig.Format,
			"look like RSA-2048"},
		{"RSA-4096", "rsa-3072", make([]byte, 512), wrongsig.Format, "RSA-4096, which MCUboot"},
		{"r‖s of P-384 for P-256", "ecdsa-p256", readFile(t, "external/ecdsa-p384/sig.rs.bin"), wrongsig.Format,
			"look like ECDSA P-384"},
		{"r‖s of P-256 for P-384", "ecdsa-p384", readFile(t, "external/ecdsa-p256/sig.rs.bin"), wrongsig.Format,
			"look like Ed25519 or ECDSA P-256"},
		{"a hash", "rsa-2048", make([]byte, 32), wrongsig.Format, "look like a hash"},
		{"JSON", "rsa-2048", []byte(`{"Signature": "AAAA"}`), wrongsig.Format, "is JSON"},
		{"a key", "rsa-2048", readFile(t, "keys/rsa-2048.pub.pem"), wrongsig.Format, `PEM block of type "PUBLIC KEY"`},
		{"an error message", "rsa-2048", []byte("permission denied\n"), wrongsig.Format,
			"in binary, base64, hex or PEM"},
		{"a PEM block without content", "ecdsa-p256", pem.EncodeToMemory(&pem.Block{Type: "SIGNATURE"}), wrongsig.Empty,
			"PEM block without content"},
		{"64 zeros", "ecdsa-p256", make([]byte, 64), wrongsig.Format, "r‖s with a zero for r"},
		{"64 zeros in hex", "ecdsa-p256", []byte(hex.EncodeToString(make([]byte, 64))), wrongsig.Format,
			"r‖s with a zero for r"},
		{"64 zeros of Vault", "ecdsa-p256",
			[]byte("vault:v1:" + base64.StdEncoding.EncodeToString(make([]byte, 64)) + "\n"), wrongsig.Format,
			"r‖s with a zero for r"},
		{"96 zeros", "ecdsa-p384", make([]byte, 96), wrongsig.Format, "r‖s with a zero for r"},
		{"a zero for s", "ecdsa-p256", append(bytes.Repeat([]byte{1}, 32), make([]byte, 32)...), wrongsig.Format,
			"r‖s with a zero for r or s"},
		{"no number", "ecdsa-p256", []byte{0x30, 4, 2, 0, 2, 0}, wrongsig.Format, "DER or 64 bytes r‖s"},
	}
	for _, test := range tests {
		signed := about(t, readKey(t, test.key), crypto.SHA256, false, region, wholeFile)
		wantFault(t, test.name, judge(signed, test.sig), test.label, test.words)
	}
}

// FuzzExplain holds that whatever comes in is refused for something, and that nothing is a signature over other data.
func FuzzExplain(f *testing.F) {
	var signed []wrongsig.Signed
	for _, name := range []string{"rsa-2048", "ecdsa-p256", "ed25519"} { // others are slow, and nothing new
		signed = append(signed, about(f, readKey(f, name), crypto.SHA256, false, []byte("region"), []byte("file")))
	}
	for _, pattern := range []string{"external/*.sig.bin", "external/*/sig*"} {
		names, err := filepath.Glob(filepath.Join(testdata, pattern))
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			f.Add([]byte(hex.EncodeToString(b)))
			f.Add(pem.EncodeToMemory(&pem.Block{Type: "SIGNATURE", Bytes: b}))
			f.Add([]byte("vault:v1:" + base64.StdEncoding.EncodeToString(b)))
		}
	}
	for _, n := range []int{0, 1, 64, 96, 256, 384} {
		f.Add(make([]byte, n))
	}
	f.Fuzz(func(t *testing.T, sig []byte) {
		for _, s := range signed {
			if got := judge(s, sig); got == nil || got.Label == "" || got.Text == "" {
				t.Errorf("%s: %x: %v, want a refusal", s.Key.Kind, sig, got)
			}
		}
	})
}
