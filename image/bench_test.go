package image_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/smpctl/smpctl/image"
)

func BenchmarkParse(b *testing.B) {
	file := parts{body: make([]byte, 1<<20)}.hashed(image.TLVSHA256)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := image.Parse(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckHash(b *testing.B) {
	m := mustParse(b, parts{body: make([]byte, 1<<20)}.hashed(image.TLVSHA256))
	b.SetBytes(int64(len(m.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.CheckHash(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	pure := image.TLV{Type: image.TLVSigPure, Value: []byte{1}}
	p := parts{body: make([]byte, 1<<20)}
	p256, p384 := newECDSA(b, elliptic.P256(), image.TLVSHA256), newECDSA(b, elliptic.P384(), image.TLVSHA384)
	ed, ed512 := newEd25519(b, image.TLVSHA256), newEd25519(b, image.TLVSHA512)
	for _, bb := range []struct {
		name    string
		signer  signer
		entries []image.TLV
	}{
		{"ECDSA-P256", p256, []image.TLV{p256.keyHash(b), p256.over(b, p)}},
		{"ECDSA-P384", p384, []image.TLV{p384.keyHash(b), p384.over(b, p)}},
		{"Ed25519", ed, []image.TLV{ed.keyHash(b), ed.over(b, p)}},
		{"Ed25519-pure", ed512, []image.TLV{pure, ed512.keyHash(b), ed512.sign(b, p.signed())}},
	} {
		p := p
		p.unprotected = bb.entries
		m := mustParse(b, p.hashed(bb.signer.hash))
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(m.Bytes())))
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Verify(bb.signer.private.Public()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	key, body := readPrivate(b, "ecdsa-p256"), make([]byte, 1<<20)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		u, err := image.Build(body, key.Public(), image.BuildOptions{PadHeader: true, SlotSize: 2 << 20})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := image.Sign(u, key, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}
