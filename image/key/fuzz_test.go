package key_test

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/smpctl/smpctl/image/key"
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
		public, publicErr := key.ParsePublic(file)
		if kindOf(t, publicErr) == "" {
			checkPublicRoundTrip(t, public)
		}
		private, err := key.ParsePrivate(file, ask)
		if err != stop && kindOf(t, err) == "" {
			again, err := key.MarshalPrivate(private, nil)
			if err != nil {
				t.Fatal(err)
			}
			if k, err := key.ParsePrivate(again, nil); err != nil || !samePublic(k.Public(), private.Public()) {
				t.Errorf("private key written and read again: %v, %v", k, err)
			}
			if publicErr == nil {
				t.Error("both a public and a private key")
			}
		}
		half, err := key.PublicHalf(file, ask)
		if err != stop && kindOf(t, err) == "" {
			checkPublicRoundTrip(t, half)
		} else if publicErr == nil || private != nil {
			t.Errorf("PublicHalf: %v, but another reader takes the file", err)
		}
		if _, err := key.ParseDecryption(file, ask); err != stop {
			kindOf(t, err)
		}
		_, err = key.ParseEncryption(file)
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
	text, err := key.PublicPEM(pub)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := key.PublicHalf(text, nil); err != nil || !samePublic(again, pub) {
		t.Errorf("public key written and read again: %v, %v", again, err)
	}
	der, err := key.PublicBytes(pub)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := key.PublicHalf(der, nil); err != nil || !samePublic(again, pub) {
		t.Errorf("public key written as DER and read again: %v, %v", again, err)
	}
}

// FuzzProvision holds that a file to which a key can be added takes the next too.
func FuzzProvision(f *testing.F) {
	addFiles(f, "../keys/kmu/*.json")
	keys := []crypto.PublicKey{readKey(f, "ed25519")}
	first, second := newStore(f, "nrf54l15", "UROT_PUBKEY", "lock"), newStore(f, "nrf54l15", "APP_PUBKEY", "revokable")
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := first.Provision(file, keys)
		if kindOf(t, err) != "" {
			return
		}
		if _, err := first.Provision(out, keys); kindOf(t, err) != string(key.ErrBadStore) {
			t.Errorf("a place taken twice: %v", err)
		}
		_, before := second.Provision(file, keys)
		_, after := second.Provision(out, keys)
		if kindOf(t, before) != kindOf(t, after) {
			t.Errorf("the next key: %v, without the first: %v", after, before)
		}
	})
}
