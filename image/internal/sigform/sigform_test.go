package sigform_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image/internal/pubkey"
	"github.com/smpctl/smpctl/image/internal/sigform"
)

// encodings are the ways in which signers write the same bytes.
var encodings = map[string]func([]byte) []byte{
	"binary":          bytes.Clone,
	"binary, newline": func(b []byte) []byte { return append(bytes.Clone(b), '\n') },
	"base64":          func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) },
	"base64, no pad":  func(b []byte) []byte { return []byte(base64.RawStdEncoding.EncodeToString(b)) },
	"base64, CRLF":    func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b) + "\r\n") },
	"base64, lines":   func(b []byte) []byte { return wrap(base64.StdEncoding.EncodeToString(b), 64) },
	"base64url":       func(b []byte) []byte { return []byte(base64.URLEncoding.EncodeToString(b)) },
	"base64url, JWS":  func(b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) },
	"hex":             func(b []byte) []byte { return []byte(hex.EncodeToString(b)) },
	"hex, upper":      func(b []byte) []byte { return []byte(strings.ToUpper(hex.EncodeToString(b)) + "\n") },
	"hex, 0x":         func(b []byte) []byte { return []byte("0x" + hex.EncodeToString(b)) },
	"hex, colons":     func(b []byte) []byte { return []byte(colons(b)) },
	"hex, lines":      func(b []byte) []byte { return wrap(hex.EncodeToString(b), 60) },
	"PEM":             func(b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "SIGNATURE", Bytes: b}) },
	"Vault": func(b []byte) []byte {
		return []byte("vault:v1:" + base64.StdEncoding.EncodeToString(b) + "\n")
	},
	"Vault, JWS": func(b []byte) []byte { return []byte("vault:v12:" + base64.RawURLEncoding.EncodeToString(b)) },
	"JSON string": func(b []byte) []byte {
		return []byte(`"` + base64.StdEncoding.EncodeToString(b) + `"` + "\n")
	},
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
	name string
	kind pubkey.Kind
}{
	{"ecdsa-p256", pubkey.P256},
	{"ecdsa-p256-seccnt", pubkey.P256},
	{"ecdsa-p384", pubkey.P384},
	{"rsa-2048", pubkey.RSA2048},
	{"rsa-3072", pubkey.RSA3072},
	{"ed25519-digest256", pubkey.Ed25519},
	{"ed25519-digest512", pubkey.Ed25519},
	{"ed25519-pure", pubkey.Ed25519},
}

// readExternal reads a file of testdata/image/external, nil if there is none.
func readExternal(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../../testdata/image/external", name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b
}

// TestNormalizeVectors takes signatures that were made outside in every encoding, and gives the bytes that imgtool
// embedded.
func TestNormalizeVectors(t *testing.T) {
	for _, v := range external {
		want := readExternal(t, v.name+"/sig.bin")
		if len(want) == 0 {
			t.Fatalf("%s: no signature", v.name)
		}
		for form, sig := range map[string][]byte{"as embedded": want, "r‖s": readExternal(t, v.name+"/sig.rs.bin")} {
			if sig == nil {
				continue
			}
			for name, encode := range encodings {
				if got, ok := sigform.Normalize(v.kind, encode(sig)); !ok || !bytes.Equal(got, want) {
					t.Errorf("%s %s in %s: %x, %v, want %x", v.name, form, name, got, ok, want)
				}
			}
		}
		if got, ok := sigform.Normalize(v.kind, readExternal(t, v.name+"/sig.b64")); !ok || !bytes.Equal(got, want) {
			t.Errorf("%s as imgtool takes it: %x, %v, want %x", v.name, got, ok, want)
		}
	}
}

func TestNormalizeECDSA(t *testing.T) {
	half := func(first, fill byte) string {
		return hex.EncodeToString(append([]byte{first}, bytes.Repeat([]byte{fill}, 31)...))
	}
	tests := []struct{ name, sig, want string }{
		{"small halves", half(0, 0)[:62] + "07" + half(0, 0)[:62] + "81", "300702010702020081"},
		{"both get a zero in front", half(0xff, 1) + half(0x80, 2),
			"3046022100" + half(0xff, 1) + "022100" + half(0x80, 2)},
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
		got, ok := sigform.Normalize(pubkey.P256, sig)
		if !ok || hex.EncodeToString(got) != test.want {
			t.Errorf("%s: Normalize(%s) = %x, %v, want %s", test.name, test.sig, got, ok, test.want)
		}
	}
}

// FuzzNormalize holds that what comes out is of the right form and goes in again unchanged.
func FuzzNormalize(f *testing.F) {
	for _, sig := range [][]byte{nil, {0}, {0x30}, make([]byte, 64), make([]byte, 96), make([]byte, 256),
		make([]byte, 384)} {
		f.Add(sig)
	}
	for _, v := range external {
		for _, name := range slices.Sorted(maps.Keys(encodings)) {
			f.Add(encodings[name](readExternal(f, v.name+"/sig.bin")))
		}
	}
	f.Fuzz(func(t *testing.T, sig []byte) {
		for _, kind := range []pubkey.Kind{pubkey.RSA2048, pubkey.RSA3072, pubkey.P256, pubkey.P384, pubkey.Ed25519} {
			got, ok := sigform.Normalize(kind, sig)
			if !ok {
				continue
			}
			if again, ok := sigform.Normalize(kind, got); len(bytes.TrimSpace(got)) > 0 &&
				(!ok || !bytes.Equal(again, got)) {
				t.Errorf("%s: %x normalized again: %x, %v", kind, got, again, ok)
			}
			if size := kind.SignatureSize(); size > 0 && len(got) != size || size == 0 && got[0] != 0x30 {
				t.Errorf("%s: %x is no signature", kind, got)
			}
		}
	})
}
