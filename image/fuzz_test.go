package image_test

import (
	"bytes"
	"crypto"
	"os"
	"path/filepath"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// addFiles adds the files of testdata that match a pattern to the corpus.
func addFiles(f *testing.F, pattern string) {
	f.Helper()
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
	}
}

// FuzzParse holds that parsing loses nothing, and that every method takes
// whatever parses.
func FuzzParse(f *testing.F) {
	addFiles(f, "images/*.bin")
	addFiles(f, "bad/*.bin")
	addFiles(f, "sealed/*.bin")
	f.Add(parts{body: []byte("body")}.hashed(image.TLVSHA256, image.TLVSHA384, image.TLVSHA512))
	var keys []crypto.PublicKey
	for _, name := range []string{"rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519"} {
		keys = append(keys, readKey(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := image.Parse(file)
		if kindOf(t, err) != "" {
			return
		}
		if !bytes.Equal(m.Bytes(), file) {
			t.Error("Bytes differs from the file")
		}
		if header := m.Header.Append(nil); !bytes.HasPrefix(file, header) {
			t.Errorf("Header.Append = %x, file begins with %x", header, file[:len(header)])
		}
		if again := appendAreas(m); !bytes.Equal(again, m.Plain()) {
			t.Error("header, body and TLVs written again differ from the file")
		}
		m.Trailer()
		m.Dependencies()
		m.SecurityCounter()
		m.Warnings()
		m.BootRecord()
		m.FileHash()
		if len(m.Hash()) == 0 || m.HashType() == 0 {
			t.Error("an image without a hash")
		}
		hash := kindOf(t, m.CheckHash())
		for _, key := range keys {
			if kindOf(t, m.Verify(key)) == "" && hash != "" {
				t.Errorf("verified, but the hash is %q", hash)
			}
		}
	})
}

// appendAreas puts an image together from its parts.
func appendAreas(m *image.Image) []byte {
	b := bytes.Clone(m.Bytes()[:m.Header.HeaderSize])
	b = append(b, m.Body()...)
	if m.Header.ProtectedSize > 0 {
		b = appendArea(b, 0x6908, m.Protected)
	}
	return appendArea(b, 0x6907, m.Unprotected)
}

// FuzzParseVersion holds that the text form of a version reads as that version.
func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"1", "1.2", "1.2.3", "1.2.3+4", "1.2.3.4", "255.255.65535+4294967295", "v1", "1.02"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := image.ParseVersion(s)
		if kindOf(t, err) != "" {
			return
		}
		if again, err := image.ParseVersion(v.String()); err != nil || again != v {
			t.Errorf("ParseVersion(%q) = %v, read again %v, %v", s, v, again, err)
		}
	})
}
