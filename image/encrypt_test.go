package image

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"testing"
)

// TestKeyWrap holds the examples of RFC 3394, sections 4.1 and 4.6.
func TestKeyWrap(t *testing.T) {
	tests := []struct{ kek, key, wrapped string }{
		{"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
			"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
			"28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
		},
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tt := range tests {
		kek, key, want := unhex(tt.kek), unhex(tt.key), unhex(tt.wrapped)
		if got, err := wrapKey(kek, key); err != nil || !bytes.Equal(got, want) {
			t.Errorf("wrapKey = %x, %v, want %x", got, err, want)
		}
		if got, ok := unwrapKey(kek, want); !ok || !bytes.Equal(got, key) {
			t.Errorf("unwrapKey = %x, %v, want %x", got, ok, key)
		}
		for i := range want {
			want[i] ^= 1
			if _, ok := unwrapKey(kek, want); ok {
				t.Errorf("unwrapKey with byte %d changed: ok", i)
			}
			want[i] ^= 1
		}
	}
}

// pair is a key to encrypt for, with its other half.
type pair struct {
	name    string
	to      crypto.PublicKey
	private crypto.PrivateKey
	scheme  TLVType
}

func newPairs(t *testing.T) []pair {
	t.Helper()
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256DH, err := p256.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return []pair{
		{"X25519", x25519.PublicKey(), x25519, TLVEncX25519},
		{"P-256", p256DH.PublicKey(), p256DH, TLVEncEC256},
		{"P-256 as ECDSA", &p256.PublicKey, p256, TLVEncEC256},
		{"RSA-2048", &rsa2048.PublicKey, rsa2048, TLVEncRSA2048},
		{"AES-128 key wrap", []byte("0123456789abcdef"), []byte("0123456789abcdef"), TLVEncKW},
		{"AES-256 key wrap", []byte("0123456789abcdef0123456789abcdef"), []byte("0123456789abcdef0123456789abcdef"),
			TLVEncKW},
	}
}

// TestSealOpens encrypts an AES key for every kind of key and decrypts it again, and holds that
// nobody else's key decrypts.
func TestSealOpens(t *testing.T) {
	pairs, others := newPairs(t), newPairs(t)
	for i, p := range pairs {
		for _, e := range []Encryption{{To: p.to}, {To: p.to, Bits: 128}, {To: p.to, Bits: 256},
			{To: p.to, Bits: 256, SHA512: true}, {To: p.to, SHA512: true}} {
			scheme := p.scheme
			if e.SHA512 {
				scheme = TLVEncX25519SHA512
			}
			kek, isKEK := p.to.([]byte)
			refused := e.SHA512 && p.scheme != TLVEncX25519 || isKEK && len(kek)*8 != max(128, e.Bits)
			key, entry, err := e.newKey(seeded(1))
			if refused {
				if !errors.Is(err, ErrBadKey) {
					t.Errorf("%s, %d bits, HMAC-SHA-512 %v: newKey = %v, want kind %q",
						p.name, e.Bits, e.SHA512, err, ErrBadKey)
				}
				continue
			}
			if err != nil || entry.Type != scheme || len(entry.Value) != scheme.encKeyLength(e.flag()) {
				t.Errorf("%s, %d bits: newKey = %s, %v, want %s of %d bytes",
					p.name, e.Bits, entry, err, scheme, scheme.encKeyLength(e.flag()))
				continue
			}
			if again, entry2, _ := e.newKey(seeded(1)); !bytes.Equal(key, again) ||
				!bytes.Equal(entry.Value, entry2.Value) {
				t.Errorf("%s: the same randomness gives another result", p.name)
			}
			if other, _, _ := e.newKey(seeded(2)); bytes.Equal(key, other) {
				t.Errorf("%s: other randomness gives the same key", p.name)
			}
			if got, known, ok := entry.open(p.private); !known || !ok || !bytes.Equal(got, key) {
				t.Errorf("%s, %d bits: not what was sealed", p.name, e.Bits)
			}
			if _, known, ok := entry.open(others[i].private); !isKEK && (!known || ok) {
				t.Errorf("%s: another key of the kind: known %v, ok %v, want true, false", p.name, known, ok)
			}
		}
	}
}

func TestSealRefuses(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa3072, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	good := newPairs(t)[0].to
	for name, e := range map[string]*Encryption{
		"no key":        {},
		"P-384":         {To: &p384.PublicKey}, // imgtool loses the image key here
		"P-384 as ECDH": {To: must(p384.PublicKey.ECDH())},
		"RSA-3072":      {To: &rsa3072.PublicKey},
		"empty RSA":     {To: &rsa.PublicKey{}},
		"24-byte AES":   {To: make([]byte, 24)},
		"AES-192":       {To: good, Bits: 192},
		"AES-64":        {To: good, Bits: 64},
	} {
		if _, _, err := e.newKey(rand.Reader); !errors.Is(err, ErrBadKey) {
			t.Errorf("%s: newKey = %v, want kind %q", name, err, ErrBadKey)
		}
	}
	for _, n := range []int64{0, 15, 16, 47} {
		if _, _, err := (&Encryption{To: good}).newKey(io.LimitReader(rand.Reader, n)); err == nil {
			t.Errorf("%d bytes of randomness: no error", n)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func seeded(n byte) io.Reader { return mathrand.NewChaCha8([32]byte{n}) }
