package key_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

const testdata = "../../testdata/image"

// keyVector is a key of testdata/image/vectors.json, described in the README beside it.
type keyVector struct {
	Name, Type    string
	PublicPEM     string `json:"public_pem"`
	KeyHashSHA256 string `json:"keyhash_sha256"`
	KeyHashSHA384 string `json:"keyhash_sha384"`
	KeyHashSHA512 string `json:"keyhash_sha512"`
}

func loadKeys(t testing.TB) []keyVector {
	t.Helper()
	var v struct{ Keys []keyVector }
	if err := json.Unmarshal(readFile(t, "vectors.json"), &v); err != nil {
		t.Fatal(err)
	}
	return v.Keys
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readKey(t testing.TB, name string) crypto.PublicKey {
	t.Helper()
	pub, err := key.ParsePublic(readFile(t, "keys/"+name+".pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

// kindOf returns the label of an error, and "" for nil. An error of another type
// than the package promises fails the test.
func kindOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *image.Error
	if !errors.As(err, &e) {
		t.Fatalf("error of type %T (%v), want *image.Error", err, err)
	}
	if e.Detail == "" || !errors.Is(err, e.Kind) {
		t.Fatalf("error %#v: no detail, or errors.Is does not know its kind", e)
	}
	return string(e.Kind)
}
