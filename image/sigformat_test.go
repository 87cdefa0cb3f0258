package image_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// encodings are the ways in which signers write the same bytes.
var encodings = map[string]func([]byte) []byte{
	"binary":           bytes.Clone,
	"binary, newline":  func(b []byte) []byte { return append(bytes.Clone(b), '\n') },
	"base64":           func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) },
	"base64, no pad":   func(b []byte) []byte { return []byte(base64.RawStdEncoding.EncodeToString(b)) },
	"base64, CRLF":     func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b) + "\r\n") },
	"base64, lines":    func(b []byte) []byte { return wrap(base64.StdEncoding.EncodeToString(b), 64) },
	"base64url":        func(b []byte) []byte { return []byte(base64.URLEncoding.EncodeToString(b)) },
	"base64url, JWS":   func(b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) },
	"hex":              func(b []byte) []byte { return []byte(hex.EncodeToString(b)) },
	"hex, upper":       func(b []byte) []byte { return []byte(strings.ToUpper(hex.EncodeToString(b)) + "\n") },
	"hex, 0x":          func(b []byte) []byte { return []byte("0x" + hex.EncodeToString(b)) },
	"hex, colons":      func(b []byte) []byte { return []byte(colons(b)) },
	"hex, lines":       func(b []byte) []byte { return wrap(hex.EncodeToString(b), 60) },
	"PEM":              func(b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "SIGNATURE", Bytes: b}) },
	"Vault":            func(b []byte) []byte { return []byte("vault:v1:" + base64.StdEncoding.EncodeToString(b) + "\n") },
	"Vault, JWS":       func(b []byte) []byte { return []byte("vault:v12:" + base64.RawURLEncoding.EncodeToString(b)) },
	"JSON string":      func(b []byte) []byte { return []byte(`"` + base64.StdEncoding.EncodeToString(b) + `"` + "\n") },
	"UTF-8 mark":       func(b []byte) []byte { return []byte("\xef\xbb\xbf" + hex.EncodeToString(b)) },
	"PowerShell's own": func(b []byte) []byte { return utf16(base64.StdEncoding.EncodeToString(b) + "\r\n") },
}

func wrap(text string, width int) []byte {
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + "\n")
		text = text[width:]
	}
	return []byte(b.String() + text + "\n")
}

func colons(b []byte) string {
	var s []string
	for _, c := range b {
		s = append(s, hex.EncodeToString([]byte{c}))
	}
	return strings.Join(s, ":")
}

func utf16(text string) []byte {
	b := []byte{0xff, 0xfe}
	for _, c := range []byte(text) {
		b = append(b, c, 0)
	}
	return b
}

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

// TestAcceptVectors takes signatures that were made outside in every encoding, and
// gives the bytes that imgtool embedded.
func TestAcceptVectors(t *testing.T) {
	for _, v := range external {
		m := mustLoad(t, "external/"+v.name+"/image.bin")
		want := readFile(t, "external/"+v.name+"/sig.bin")
		forms := map[string][]byte{"": want, "as imgtool takes it": readFile(t, "external/"+v.name+"/sig.b64")}
		if rs, err := os.ReadFile(filepath.Join(testdata, "external", v.name, "sig.rs.bin")); err == nil {
			forms["r‖s"] = rs
		}
		for form, sig := range forms {
			for name, encode := range encodings {
				got, err := image.AcceptSignature(readKey(t, v.key), v.hash, v.pure, m.Signed(), nil, encode(sig))
				if form == "as imgtool takes it" && name != "binary" {
					continue
				}
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s %s in %s: %x, %v, want %x", v.name, form, name, got, err, want)
				}
			}
		}
	}
}

func TestNormalizeECDSA(t *testing.T) {
	pub := readKey(t, "ecdsa-p256")
	half := func(first, fill byte) string {
		return hex.EncodeToString(append([]byte{first}, bytes.Repeat([]byte{fill}, 31)...))
	}
	tests := []struct{ name, sig, want string }{
		{"small halves", half(0, 0)[:62] + "07" + half(0, 0)[:62] + "81", "300702010702020081"},
		{"both get a zero in front", half(0xff, 1) + half(0x80, 2), "3046022100" + half(0xff, 1) + "022100" + half(0x80, 2)},
		{"padded by imgtool --pad-sig", "3006020107020108" + "0000", "3006020107020108"},
		{"superfluous zeros", "300a02030000070203000008", "3006020107020108"},
		{"a zero missing", "30060201810201ff", "3008020200810202" + "00ff"},
		{"long form of the length", "308106020107020108", "3006020107020108"},
	}
	for _, test := range tests {
		sig, err := hex.DecodeString(test.sig)
		if err != nil {
			t.Fatal(err)
		}
		got, err := image.NormalizeSignature(pub, sig)
		if err != nil || hex.EncodeToString(got) != test.want {
			t.Errorf("%s: NormalizeSignature(%s) = %x, %v, want %s", test.name, test.sig, got, err, test.want)
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	p256 := readFile(t, "external/ecdsa-p256/sig.bin")
	tests := []struct {
		name, key string
		sig       []byte
		kind      image.Kind
		words     string
	}{
		{"nothing", "rsa-2048", nil, image.ErrSignatureEmpty, "is empty"},
		{"white space", "ed25519", []byte(" \r\n\t"), image.ErrSignatureEmpty, "is empty"},
		{"much", "ed25519", make([]byte, 64<<10+1), image.ErrSignatureFormat, "longer than 64 KiB"},
		{"a short one", "ed25519", readFile(t, "external/neg-ed25519-short.sig.bin"), image.ErrSignatureFormat, "63 bytes, not a signature"},
		{"DER cut short", "ecdsa-p256", p256[:40], image.ErrSignatureFormat, "cut short, 40 of "},
		{"the same in base64", "ecdsa-p256", []byte(base64.StdEncoding.EncodeToString(p256[:40])), image.ErrSignatureFormat, "cut short, 40 of "},
		{"DER for RSA", "rsa-2048", p256, image.ErrSignatureFormat, "look like ECDSA in DER"},
		{"DER that ends like a line", "rsa-2048", append([]byte{0x30, 8, 2, 2, 1, 1, 2, 2, 1}, '\n'), image.ErrSignatureFormat, "look like ECDSA in DER"},
		{"RSA cut short that ends like a line", "rsa-2048", append(make([]byte, 254), '\n'), image.ErrSignatureFormat, "255 bytes, not a signature"},
		{"RSA for ECDSA", "ecdsa-p256", readFile(t, "external/rsa-2048/sig.bin"), image.ErrSignatureFormat, "look like RSA-2048"},
		{"RSA-2048 for RSA-3072", "rsa-3072", readFile(t, "external/rsa-2048/sig.b64"), image.ErrSignatureFormat, "look like RSA-2048"},
		{"RSA-4096", "rsa-3072", make([]byte, 512), image.ErrSignatureFormat, "RSA-4096, which MCUboot"},
		{"r‖s of P-384 for P-256", "ecdsa-p256", readFile(t, "external/ecdsa-p384/sig.rs.bin"), image.ErrSignatureFormat, "look like ECDSA P-384"},
		{"r‖s of P-256 for P-384", "ecdsa-p384", readFile(t, "external/ecdsa-p256/sig.rs.bin"), image.ErrSignatureFormat, "look like Ed25519 or ECDSA P-256"},
		{"a hash", "rsa-2048", make([]byte, 32), image.ErrSignatureFormat, "look like a hash"},
		{"JSON", "rsa-2048", []byte(`{"Signature": "AAAA"}`), image.ErrSignatureFormat, "is JSON"},
		{"a key", "rsa-2048", readFile(t, "keys/rsa-2048.pub.pem"), image.ErrSignatureFormat, `PEM block of type "PUBLIC KEY"`},
		{"an error message", "rsa-2048", []byte("permission denied\n"), image.ErrSignatureFormat, "in binary, base64, hex or PEM"},
		{"a PEM block without content", "ecdsa-p256", encodings["PEM"](nil), image.ErrSignatureEmpty, "PEM block without content"},
		{"64 zeros", "ecdsa-p256", make([]byte, 64), image.ErrSignatureFormat, "r‖s with a zero for r"},
		{"64 zeros in hex", "ecdsa-p256", encodings["hex"](make([]byte, 64)), image.ErrSignatureFormat, "r‖s with a zero for r"},
		{"64 zeros of Vault", "ecdsa-p256", encodings["Vault"](make([]byte, 64)), image.ErrSignatureFormat, "r‖s with a zero for r"},
		{"96 zeros", "ecdsa-p384", make([]byte, 96), image.ErrSignatureFormat, "r‖s with a zero for r"},
		{"a zero for s", "ecdsa-p256", append(bytes.Repeat([]byte{1}, 32), make([]byte, 32)...), image.ErrSignatureFormat, "r‖s with a zero for r or s"},
		{"no number", "ecdsa-p256", []byte{0x30, 4, 2, 0, 2, 0}, image.ErrSignatureFormat, "DER or 64 bytes r‖s"},
	}
	for _, test := range tests {
		got, err := image.NormalizeSignature(readKey(t, test.key), test.sig)
		if kind := kindOf(t, err); kind != string(test.kind) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: %x, %v (%s), want %q (%s)", test.name, got, err, kind, test.words, test.kind)
		}
	}
}

// signatureSeeds are signatures of every kind, and as many bytes of nothing.
func signatureSeeds(f *testing.F) [][]byte {
	f.Helper()
	seeds := [][]byte{nil, {0}, {0x30}, make([]byte, 64), make([]byte, 96), make([]byte, 256), make([]byte, 384), bytes.Repeat([]byte{0xff}, 64)}
	for _, v := range external {
		seeds = append(seeds, readFile(f, "external/"+v.name+"/sig.bin"))
	}
	for _, name := range []string{"ecdsa-p256", "ecdsa-p384"} {
		seeds = append(seeds, readFile(f, "external/"+name+"/sig.rs.bin"))
	}
	return seeds
}

// FuzzNormalizeSignature holds that what comes out is of the right form and goes in
// again unchanged, and that every way of attaching takes whatever comes in.
func FuzzNormalizeSignature(f *testing.F) {
	keys := map[string]crypto.PublicKey{}
	for _, v := range external {
		keys[v.key] = readKey(f, v.key)
	}
	for _, sig := range signatureSeeds(f) {
		for _, name := range slices.Sorted(maps.Keys(encodings)) {
			f.Add(encodings[name](sig))
		}
	}
	addFiles(f, "external/*.sig.bin")
	f.Fuzz(func(t *testing.T, sig []byte) {
		for name, pub := range keys {
			got, err := image.NormalizeSignature(pub, sig)
			if kindOf(t, err) != "" {
				continue
			}
			if again, err := image.NormalizeSignature(pub, got); err != nil || !bytes.Equal(again, got) {
				t.Errorf("%s: %x normalized again: %x, %v", name, got, again, err)
			}
			if name == "rsa-3072" || name == "ecdsa-p384" { // slow, and nothing new
				continue
			}
			if _, err := image.AcceptSignature(pub, image.TLVSHA512, false, []byte("region"), []byte("file"), sig); kindOf(t, err) == "" {
				t.Errorf("%s: %x was accepted for other data", name, sig)
			}
		}
	})
}
