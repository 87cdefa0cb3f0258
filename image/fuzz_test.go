package image_test

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
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

// FuzzKeys holds that what reads as a key can be written and read again, and that
// no reader takes what another takes for something else.
func FuzzKeys(f *testing.F) {
	addKeyFiles(f)
	stop := errors.New("the time that a passphrase takes is FuzzPBES2's business")
	f.Fuzz(func(t *testing.T, file []byte) {
		ask := func() ([]byte, error) {
			if bytes.Contains(file, []byte("DEK-Info")) { // takes no time
				return []byte("mcuboot-test"), nil
			}
			return nil, stop
		}
		public, publicErr := image.ParsePublicKey(file)
		if kindOf(t, publicErr) == "" {
			checkPublicRoundTrip(t, public)
		}
		private, err := image.ParsePrivateKey(file, ask)
		if err != stop && kindOf(t, err) == "" {
			again, err := image.MarshalPrivateKey(private, nil)
			if err != nil {
				t.Fatal(err)
			}
			if k, err := image.ParsePrivateKey(again, nil); err != nil || !samePublic(k.Public(), private.Public()) {
				t.Errorf("private key written and read again: %v, %v", k, err)
			}
			if publicErr == nil {
				t.Error("both a public and a private key")
			}
		}
		half, err := image.PublicHalf(file, ask)
		if err != stop && kindOf(t, err) == "" {
			checkPublicRoundTrip(t, half)
		} else if publicErr == nil || private != nil {
			t.Errorf("PublicHalf: %v, but another reader takes the file", err)
		}
		if _, err := image.ParseDecryptionKey(file, ask); err != stop {
			kindOf(t, err)
		}
		_, err = image.ParseEncryptionKey(file)
		kindOf(t, err)
	})
}

// addKeyFiles adds every kind of key file to the corpus, each as PEM, as DER and without content, and weak keys.
func addKeyFiles(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"keys/*.pem", "../keys/*.pem"} {
		addFiles(f, pattern)
		names, err := filepath.Glob(filepath.Join(testdata, pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
				f.Add(block.Bytes)
				f.Add(pem.EncodeToMemory(&pem.Block{Type: block.Type, Headers: block.Headers}))
			}
		}
	}
	for _, k := range weakKeys(f) {
		f.Add(k.pem())
	}
}

func checkPublicRoundTrip(t *testing.T, pub crypto.PublicKey) {
	t.Helper()
	text, err := image.PublicKeyPEM(pub)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := image.PublicHalf(text, nil); err != nil || !samePublic(again, pub) {
		t.Errorf("public key written and read again: %v, %v", again, err)
	}
	der, err := image.PublicKeyBytes(pub)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := image.PublicHalf(der, nil); err != nil || !samePublic(again, pub) {
		t.Errorf("public key written as DER and read again: %v, %v", again, err)
	}
}

// FuzzProvision holds that a file to which a key can be added takes the next too.
func FuzzProvision(f *testing.F) {
	addFiles(f, "../keys/kmu/*.json")
	keys := []crypto.PublicKey{readKey(f, "ed25519")}
	first, second := keyStore(f, "nrf54l15", "UROT_PUBKEY", "lock"), keyStore(f, "nrf54l15", "APP_PUBKEY", "revokable")
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := first.Provision(file, keys)
		if kindOf(t, err) != "" {
			return
		}
		if _, err := first.Provision(out, keys); kindOf(t, err) != string(image.ErrBadKeyStore) {
			t.Errorf("a place taken twice: %v", err)
		}
		_, before := second.Provision(file, keys)
		_, after := second.Provision(out, keys)
		if kindOf(t, before) != kindOf(t, after) {
			t.Errorf("the next key: %v, without the first: %v", after, before)
		}
	})
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
