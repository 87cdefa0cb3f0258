package signer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePKCS11URI(t *testing.T) {
	slot := uint32(7)
	tests := []struct {
		text string
		want pkcs11URI
		back string
	}{
		{"pkcs11:", pkcs11URI{}, "pkcs11:"},
		{
			"pkcs11:token=ci;object=fw?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin",
			pkcs11URI{token: "ci", object: "fw", module: "/usr/lib/softhsm/libsofthsm2.so", pinSource: "file:/run/pin"},
			"pkcs11:token=ci;object=fw",
		},
		{
			"PKCS11:manufacturer=SoftHSM%20project;serial=4f2a;model=SoftHSM%20v2;slot-id=7;id=%01%a0;type=private;",
			pkcs11URI{manufacturer: "SoftHSM project", serial: "4f2a", model: "SoftHSM v2", slotID: &slot,
				id: []byte{1, 0xa0}},
			"pkcs11:manufacturer=SoftHSM%20project;serial=4f2a;model=SoftHSM%20v2;slot-id=7;id=%01%a0",
		},
		{"pkcs11:token=a%3Bb%3Fc?", pkcs11URI{token: "a;b?c"}, "pkcs11:token=a%3Bb%3Fc"},
		{"pkcs11:token=a+b", pkcs11URI{token: "a+b"}, "pkcs11:token=a+b"},
	}
	for _, test := range tests {
		got, err := parsePKCS11URI(test.text)
		if err != nil || !cmp.Equal(got, test.want, cmp.AllowUnexported(pkcs11URI{})) {
			t.Errorf("parsePKCS11URI(%q) = %+v, %v, want %+v", test.text, got, err, test.want)
		}
		if got.String() != test.back {
			t.Errorf("String of %q = %q, want %q", test.text, got, test.back)
		}
	}
}

func TestParsePKCS11URIRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"pkcs12:token=a":              "does not begin with pkcs11:",
		"pkcs11:token":                "want NAME=VALUE",
		"pkcs11:token=a;token=b":      "token stands there twice",
		"pkcs11:token=100%":           "write %25",
		"pkcs11:tokn=ci":              `unknown attribute "tokn"`,
		"pkcs11:slot-id=-1":           "want a number",
		"pkcs11:slot-id=99999999999":  "want a number",
		"pkcs11:type=cert":            "only a private key signs",
		"pkcs11:object=fw?module=a":   `unknown attribute "module"`,
		"pkcs11:token=a?pin-value=12": "use pin-source=file:PATH",
	} {
		_, err := parsePKCS11URI(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parsePKCS11URI(%q): %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "12") && strings.Contains(text, "pin-value=12") {
			t.Errorf("parsePKCS11URI(%q) shows the PIN: %v", text, err)
		}
	}
}

// FuzzParsePKCS11URI holds that what a URI shows of itself reads as the same key.
func FuzzParsePKCS11URI(f *testing.F) {
	for _, text := range []string{
		"pkcs11:token=ci;object=fw?module-path=/m.so&pin-source=file:/run/pin",
		"pkcs11:id=%00%ff;slot-id=3;type=private", "pkcs11:serial=%3b%25;;?&",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parsePKCS11URI(text)
		if err != nil {
			return
		}
		u.module, u.pinSource = "", ""
		again, err := parsePKCS11URI(u.String())
		if err != nil {
			t.Fatalf("%q shows as %q: %v", text, u, err)
		}
		if len(u.id) == 0 {
			u.id = nil
		}
		if !cmp.Equal(again, u, cmp.AllowUnexported(pkcs11URI{})) {
			t.Errorf("%q shows as %q, which is %+v, want %+v", text, u, again, u)
		}
	})
}
