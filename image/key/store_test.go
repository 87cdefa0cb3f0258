package key_test

import (
	"bytes"
	"crypto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

func newStore(t testing.TB, soc, name, policy string) *key.Store {
	t.Helper()
	s, err := key.NewStore(soc, name, policy)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestProvision compares with the files of nRF Connect SDK.
func TestProvision(t *testing.T) {
	one, both := []crypto.PublicKey{readKey(t, "ed25519")},
		[]crypto.PublicKey{readKey(t, "ed25519"), readKey(t, "other-ed25519")}
	tests := []struct {
		want, soc, name, policy string
		keys                    []crypto.PublicKey
	}{
		{"keyfile-urot-1", "nrf54l15", "UROT_PUBKEY", "lock-last", one},
		{"keyfile-urot-1", "nrf54lv10a", "UROT_PUBKEY", "lock", one},
		{"keyfile-bl-2", "nrf54l15", "BL_PUBKEY", "lock-last", both},
		{"keyfile-app-revokable", "nrf54l05", "APP_PUBKEY", "revokable", one},
		{"keyfile-nrf54h20-bl", "nrf54h20", "BL_PUBKEY", "revokable", one},
	}
	for _, tt := range tests {
		got, err := newStore(t, tt.soc, tt.name, tt.policy).Provision(nil, tt.keys)
		if want := keyFile(t, "kmu/"+tt.want+".json"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v (-got +want)\n%s", tt.want, err, cmp.Diff(string(got), string(want)))
		}
	}
}

func TestProvisionAppends(t *testing.T) {
	first := keyFile(t, "kmu/keyfile-app-revokable.json")
	keys := []crypto.PublicKey{readKey(t, "ed25519")}
	got, err := newStore(t, "nrf54l15", "UROT_PUBKEY", "lock").Provision(first, keys)
	if err != nil {
		t.Fatal(err)
	}
	entry := func(name string) string {
		s := string(keyFile(t, "kmu/"+name))
		return s[strings.Index(s, "        {") : strings.LastIndex(s, "        }")+len("        }")]
	}
	want := strings.Replace(string(first), "        }\n", "        },\n"+entry("keyfile-urot-1.json")+"\n", 1)
	if string(got) != want {
		t.Errorf("-got +want:\n%s", cmp.Diff(string(got), want))
	}
	// as generate_psa_key_attributes.py --trng-key has it
	random := strings.ReplaceAll(string(first), `"0xb3f3`, `"TRNG:32`)
	if got, err = newStore(t, "nrf54l15", "BL_PUBKEY", "revokable").Provision([]byte(random), keys); err != nil ||
		!bytes.Contains(got, []byte(`"TRNG:32`)) {
		t.Errorf("a file with a random key: %v\n%s", err, got)
	}
}

func TestProvisionRefuses(t *testing.T) {
	ed := readKey(t, "ed25519")
	good := string(keyFile(t, "kmu/keyfile-urot-1.json"))
	tests := []struct {
		name string
		file string
		keys []crypto.PublicKey
		want image.Kind
		hint string
	}{
		{"no key", "", nil, image.ErrBadOption, "0 keys"},
		{"four keys", "", []crypto.PublicKey{ed, ed, ed, ed}, image.ErrBadOption, "places for 1 to 3"},
		{"ECDSA", "", []crypto.PublicKey{ed, readKey(t, "ecdsa-p256")}, image.ErrBadKey,
			"key 2: UROT_PUBKEY takes Ed25519 keys only"},
		{"X25519", "", []crypto.PublicKey{publicHalf(t, "enc-x25519.pem")}, image.ErrBadKey, "Ed25519 keys only"},
		{"place taken", good, []crypto.PublicKey{ed}, key.ErrBadStore, "has a key for place 1"},
		{"empty file", " ", []crypto.PublicKey{ed}, key.ErrBadStore, "not a provisioning file"},
		{"cut short", good[:90], []crypto.PublicKey{ed}, key.ErrBadStore, "not a provisioning file"},
		{"two documents", good + good, []crypto.PublicKey{ed}, key.ErrBadStore, "behind its end"},
		{"another version", strings.Replace(good, `version": 0`, `version": 1`, 1), []crypto.PublicKey{ed},
			key.ErrBadStore, "version 1"},
		{"another key", strings.Replace(good, `"version"`, `"extra": 1, "version"`, 1), []crypto.PublicKey{ed},
			key.ErrBadStore, "extra"},
		{"short metadata", strings.Replace(good, "00000000\"", "\"", 1), []crypto.PublicKey{ed}, key.ErrBadStore,
			"metadata of key 1"},
		{"metadata that are none", strings.Replace(good, "0x4241", "0xZZ41", 1), []crypto.PublicKey{ed},
			key.ErrBadStore, "metadata of key 1"},
	}
	for _, tt := range tests {
		file := []byte(tt.file)
		if tt.file == "" {
			file = nil
		}
		got, err := newStore(t, "nrf54l15", "UROT_PUBKEY", "revokable").Provision(file, tt.keys)
		if kind := kindOf(t, err); kind != string(tt.want) || got != nil || !strings.Contains(err.Error(), tt.hint) {
			t.Errorf("%s: Provision = %q, %q (%v), want nil, %q, a text with %q",
				tt.name, got, kind, err, tt.want, tt.hint)
		}
	}
}

func TestNewStoreRefuses(t *testing.T) {
	for _, tt := range []struct{ soc, name, policy, hint string }{
		{"nrf52840", "BL_PUBKEY", "revokable", "nrf54lm20a"},
		{"", "BL_PUBKEY", "revokable", "soc"},
		{"nrf54l15", "ROOT", "revokable", "APP_PUBKEY"},
		{"nrf54l15", "BL_PUBKEY", "", "lock-last"},
		{"nrf54h20", "UROT_PUBKEY", "revokable", "BL_PUBKEY only"},
		{"nrf54h20", "BL_PUBKEY", "lock", "cannot lock"},
	} {
		s, err := key.NewStore(tt.soc, tt.name, tt.policy)
		if kindOf(t, err) != string(image.ErrBadOption) || s != nil || !strings.Contains(err.Error(), tt.hint) {
			t.Errorf("NewStore(%q, %q, %q) = %v, %v, want a text with %q", tt.soc, tt.name, tt.policy, s, err, tt.hint)
		}
	}
}
