package image_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// parts builds image files that imgtool would not. Sizes in the header are
// filled in where they are zero.
type parts struct {
	header      image.Header
	body        []byte
	protected   []image.TLV
	unprotected []image.TLV
	behind      []byte
}

// signed returns what hash and signature cover.
func (p parts) signed() []byte {
	prot := appendArea(nil, 0x6908, p.protected)
	if len(p.protected) == 0 {
		prot = nil
	}
	h := p.header
	if h.HeaderSize == 0 {
		h.HeaderSize = 32
	}
	if h.ImageSize == 0 {
		h.ImageSize = uint32(len(p.body))
	}
	if h.ProtectedSize == 0 {
		h.ProtectedSize = uint16(len(prot))
	}
	b := h.Append(nil)
	b = append(b, bytes.Repeat([]byte{0xff}, max(0, int(h.HeaderSize)-len(b)))...)
	b = append(b, p.body...)
	return append(b, prot...)
}

// bytes returns the file with exactly the given entries.
func (p parts) bytes() []byte {
	return append(appendArea(p.signed(), 0x6907, p.unprotected), p.behind...)
}

// hashed returns the file with a right hash of the type in front of the entries.
func (p parts) hashed(types ...image.TLVType) []byte {
	var hashes []image.TLV
	for _, t := range types {
		hashes = append(hashes, image.TLV{Type: t, Value: sum(t, p.signed())})
	}
	p.unprotected = append(hashes, p.unprotected...)
	return p.bytes()
}

func appendArea(b []byte, magic uint16, entries []image.TLV) []byte {
	var list []byte
	for _, t := range entries {
		list = binary.LittleEndian.AppendUint16(list, uint16(t.Type))
		list = binary.LittleEndian.AppendUint16(list, uint16(len(t.Value)))
		list = append(list, t.Value...)
	}
	b = binary.LittleEndian.AppendUint16(b, magic)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(list)+4))
	return append(b, list...)
}

func sum(t image.TLVType, b []byte) []byte {
	switch t {
	case image.TLVSHA384:
		s := sha512.Sum384(b)
		return s[:]
	case image.TLVSHA512:
		s := sha512.Sum512(b)
		return s[:]
	}
	s := sha256.Sum256(b)
	return s[:]
}

// zeros is an entry of the type with a value of n zero bytes.
func zeros(t image.TLVType, n int) image.TLV { return image.TLV{Type: t, Value: make([]byte, n)} }

func mustParse(t testing.TB, b []byte) *image.Image {
	t.Helper()
	m, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// signer is a throw-away key that signs what MCUboot wants signed.
type signer struct {
	private crypto.Signer
	sig     image.TLVType
	hash    image.TLVType
}

func newEd25519(t testing.TB, hash image.TLVType) signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{private, image.TLVEd25519, hash}
}

func newECDSA(t testing.TB, curve elliptic.Curve, hash image.TLVType) signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{private, image.TLVECDSASig, hash}
}

// sign signs a message: a digest, or for Ed25519 anything.
func (s signer) sign(t testing.TB, message []byte) image.TLV {
	t.Helper()
	// An Ed25519 key takes 0 for "the message itself", an ECDSA key ignores it.
	sig, err := s.private.Sign(rand.Reader, message, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	return image.TLV{Type: s.sig, Value: sig}
}

// over signs the image hash of p.
func (s signer) over(t testing.TB, p parts) image.TLV {
	t.Helper()
	return s.sign(t, sum(s.hash, p.signed()))
}

// keyHash is the entry that names the key.
func (s signer) keyHash(t testing.TB) image.TLV {
	t.Helper()
	h, err := key.Hash(s.private.Public(), s.hash)
	if err != nil {
		t.Fatal(err)
	}
	return image.TLV{Type: image.TLVKeyHash, Value: h}
}
