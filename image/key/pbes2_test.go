package key

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// testPBES2 is an encrypted key whose numbers a test can change.
func testPBES2() pbes2 {
	return pbes2{
		prf: findPRF(oidHMACSHA256), cipher: findCipher(oidAES256CBC),
		salt: make([]byte, 16), iv: make([]byte, 16), iterations: 1, data: make([]byte, 32),
	}
}

// TestPBES2Bounds sees that no file gets the time that it asks for, and none its passphrase when it is of no use.
func TestPBES2Bounds(t *testing.T) {
	tests := []struct {
		name   string
		change func(*pbes2)
		hint   string
	}{
		{"one iteration too many", func(e *pbes2) { e.iterations = maxIterations + 1 }, "2000001 iterations"},
		{"iterations for years", func(e *pbes2) { e.iterations = 1<<31 - 1 }, "iterations"},
		{"no iterations", func(e *pbes2) { e.iterations = 0 }, "0 iterations"},
		{"less than none", func(e *pbes2) { e.iterations = -1 }, "-1 iterations"},
		{"no data", func(e *pbes2) { e.data = nil }, "nothing is encrypted"},
		{"half a block", func(e *pbes2) { e.data = e.data[:24] }, "no multiple of 16"},
		{"short IV", func(e *pbes2) { e.iv = e.iv[:8] }, "initialisation vector of 8 bytes"},
		{"unknown hash", func(e *pbes2) { e.prf.oid = oidScrypt }, "hash scrypt"},
		{"unknown cipher", func(e *pbes2) { e.cipher.oid = oidScrypt }, "cipher scrypt"},
	}
	for _, tt := range tests {
		e := testPBES2()
		tt.change(&e)
		der, err := e.marshal()
		if err != nil {
			t.Fatal(err)
		}
		file := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
		_, err = ParsePrivate(file, func() ([]byte, error) {
			t.Errorf("%s: asked for the passphrase", tt.name)
			return []byte("secret"), nil
		})
		if !errors.Is(err, image.ErrBadKey) || !strings.Contains(err.Error(), tt.hint) {
			t.Errorf("%s: %v, want kind %q and %q", tt.name, err, image.ErrBadKey, tt.hint)
		}
	}
}

// FuzzPBES2 holds that what parses can be written again, and that any key of it can be tried.
func FuzzPBES2(f *testing.F) {
	for _, pattern := range []string{"keys/*.pem", "image/keys/*.enc.pem"} {
		names, err := filepath.Glob(filepath.Join("../../testdata", pattern))
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if block, _ := pem.Decode(b); block.Type == "ENCRYPTED PRIVATE KEY" {
				f.Add(block.Bytes)
			}
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		e, err := parsePBES2(der)
		if err != nil {
			return
		}
		out, err := e.marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parsePBES2(out)
		if err != nil || again.iterations != e.iterations || !bytes.Equal(again.salt, e.salt) ||
			!bytes.Equal(again.iv, e.iv) ||
			!bytes.Equal(again.data, e.data) || !again.prf.oid.Equal(e.prf.oid) ||
			!again.cipher.oid.Equal(e.cipher.oid) {
			t.Errorf("written and read again: %+v, %v, want %+v", again, err, e)
		}
		e.iterations = min(e.iterations, 3) // of which check lets millions pass
		_, _ = e.decrypt([]byte("secret"))
	})
}
