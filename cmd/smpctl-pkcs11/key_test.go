package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
)

// TestParsePoint takes points wrapped and bare, and nothing else.
func TestParsePoint(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		wrapped := append([]byte{4, byte(len(point))}, point...)
		for _, b := range [][]byte{point, wrapped} {
			if pub, ok := parsePoint(b).(*ecdsa.PublicKey); !ok || !pub.Equal(&key.PublicKey) {
				t.Errorf("parsePoint(%x) = %v, want the %s key", b, pub, curve.Params().Name)
			}
		}
		point[10] ^= 1
		if pub := parsePoint(point); pub != nil {
			t.Errorf("a point beside the curve: %v, want nil", pub)
		}
	}
	public, _, _ := ed25519.GenerateKey(rand.Reader)
	for _, b := range [][]byte{public, append([]byte{4, 32}, public...)} {
		if pub, ok := parsePoint(b).(ed25519.PublicKey); !ok || !pub.Equal(public) {
			t.Errorf("parsePoint(%x) = %v, want the Ed25519 key", b, pub)
		}
	}
	for _, b := range [][]byte{nil, {4}, {4, 0}, make([]byte, 65), make([]byte, 31)} {
		if pub := parsePoint(b); pub != nil {
			t.Errorf("parsePoint(%x) = %v, want nil", b, pub)
		}
	}
}
