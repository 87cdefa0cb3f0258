package image_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// readDecryptionKey reads the private half of an encryption key.
func readDecryptionKey(t testing.TB, name string) crypto.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(readFile(t, "keys/"+name+".pem"))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestVectorDecrypt opens every encrypted image, and holds that no other key does.
func TestVectorDecrypt(t *testing.T) {
	all := loadVectors(t)
	keys := map[string]crypto.PrivateKey{}
	for _, name := range []string{"enc-rsa-2048", "enc-ecdsa-p256", "enc-x25519"} {
		keys[name] = readDecryptionKey(t, name)
	}
	seen := 0
	for _, v := range all.Images {
		m := mustLoad(t, v.File)
		if v.Encryption == nil {
			if _, err := m.Decrypt(keys["enc-x25519"]); !errors.Is(err, image.ErrNotEncrypted) {
				t.Errorf("%s: Decrypt = %v, want kind %q", v.File, err, image.ErrNotEncrypted)
			}
			continue
		}
		seen++
		for name, key := range keys {
			plain, err := m.Decrypt(key)
			if name != v.Encryption.Key {
				if got := kindOf(t, err); got != string(image.ErrWrongDecryptionKey) {
					t.Errorf("%s: Decrypt with %s = %q, want %q", v.File, name, got, image.ErrWrongDecryptionKey)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", v.File, err)
				continue
			}
			sum := sha256.Sum256(plain.Body())
			if want := v.Encryption.Plaintext; want != "" && hex.EncodeToString(sum[:]) != want {
				t.Errorf("%s: the plaintext has SHA-256 %x, want %s", v.File, sum, want)
			}
			if err := plain.Verify(readKey(t, v.VerifiesWith[0])); err != nil {
				t.Errorf("%s, decrypted: %v", v.File, err)
			}
			if !v.Encryption.Ciphertext && !bytes.Equal(plain.Bytes(), m.Bytes()) {
				t.Errorf("%s: a plain body was changed", v.File)
			}
		}
	}
	if seen != 7 {
		t.Errorf("%d encrypted images, want 7", seen)
	}
}

// sealedImages are those of testdata/image/sealed. decrypt is empty for images
// that are not encrypted, or plain all the same.
var sealedImages = []struct {
	file, key, decrypt string
	want               image.Kind
}{
	{"enc-rsa2048-aes128", "rsa-2048", "enc-rsa-2048", ""},
	{"enc-rsa2048-aes256", "rsa-2048", "enc-rsa-2048", ""},
	{"enc-x25519-pure", "ed25519", "enc-x25519", ""},
	{"comp-all", "ecdsa-p384", "", ""},
	{"comp-lzma2-rsa3072", "rsa-3072", "", ""},
	{"comp-pure", "ed25519", "", ""},
	{"comp-zero-padding", "ecdsa-p256", "", ""},
	{"enc-comp-ec256", "ecdsa-p256", "enc-ecdsa-p256", ""},
	{"enc-comp-clear", "ed25519", "", ""},
	{"enc-comp-x25519-sha512-aes256", "ed25519", "enc-x25519", ""},
	// imgtool takes the flag into the hash of the plain image and forgets it in the compressed one.
	{"comp-non-bootable", "ed25519", "", image.ErrDecompHashMismatch},
}

func TestSealedImages(t *testing.T) {
	for _, v := range sealedImages {
		m := mustLoad(t, "sealed/"+v.file+".bin")
		key := readKey(t, v.key)
		if v.decrypt != "" {
			if got := kindOf(t, m.Verify(key)); got != string(image.ErrEncrypted) {
				t.Errorf("%s: Verify without the key = %q, want %q", v.file, got, image.ErrEncrypted)
			}
			if m.Compressed() {
				if _, err := m.Decompress(); !errors.Is(err, image.ErrEncrypted) {
					t.Errorf("%s: Decompress without the key = %v, want kind %q", v.file, err, image.ErrEncrypted)
				}
			}
			plain, err := m.Decrypt(readDecryptionKey(t, v.decrypt))
			if err != nil {
				t.Errorf("%s: %v", v.file, err)
				continue
			}
			m = plain
		}
		err := m.Verify(key)
		if got := kindOf(t, err); got != string(v.want) {
			t.Errorf("%s: Verify = %q (%v), want %q", v.file, got, err, v.want)
		}
		if other := m.Verify(readKey(t, otherOfKind[v.key])); kindOf(t, other) == "" {
			t.Errorf("%s: verifies with another key", v.file)
		}
	}
}

// otherOfKind is a second key for each, of the same kind if there is one.
var otherOfKind = map[string]string{
	"rsa-2048": "other-rsa-2048", "rsa-3072": "rsa-2048", "ecdsa-p256": "other-ecdsa-p256",
	"ecdsa-p384": "other-ecdsa-p384", "ed25519": "other-ed25519",
}

func TestDecompressIsWhatTheDeviceRuns(t *testing.T) {
	m := mustLoad(t, "sealed/comp-all.bin")
	plain, err := m.Decompress()
	if err != nil {
		t.Fatal(err)
	}
	if plain.Compressed() || plain.Header.Version != m.Header.Version || len(plain.Body()) != 6001 ||
		plain.Size() <= m.Size() {
		t.Errorf("decompressed: %+v, body of %d bytes, image of %d", plain.Header, len(plain.Body()), plain.Size())
	}
	if counter, _ := plain.SecurityCounter(); counter != 9 || len(plain.Dependencies()) != 1 {
		t.Errorf("decompressed: counter %d, dependencies %v, want those of the compressed image",
			counter, plain.Dependencies())
	}
	if _, err := plain.Decompress(); !errors.Is(err, image.ErrNotCompressed) {
		t.Errorf("decompressed twice: %v, want kind %q", err, image.ErrNotCompressed)
	}
}

// TestDecryptDamage changes what the key opens, one byte at a time.
func TestDecryptDamage(t *testing.T) {
	m := mustLoad(t, "images/enc-x25519-aes128.bin")
	key := readDecryptionKey(t, "enc-x25519")
	enc := m.Unprotected[3].Value
	at := bytes.Index(m.Bytes(), enc)
	for i := range enc {
		file := slices.Clone(m.Bytes())
		file[at+i] ^= 1
		_, err := mustParse(t, file).Decrypt(key)
		if got := kindOf(t, err); got != string(image.ErrDecryption) {
			t.Errorf("byte %d of the key entry changed: %q, want %q", i, got, image.ErrDecryption)
		}
	}
	file := slices.Clone(m.Bytes())
	file[512] ^= 1
	if _, err := mustParse(t, file).Decrypt(key); kindOf(t, err) != string(image.ErrHashMismatch) {
		t.Errorf("body changed: %v, want kind %q", err, image.ErrHashMismatch)
	}
	stranger, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Decrypt(stranger); kindOf(t, err) != string(image.ErrDecryption) {
		t.Errorf("another X25519 key: %v, want kind %q", err, image.ErrDecryption)
	}
	for _, key := range []crypto.PrivateKey{nil, []byte("0123456789abcdef"), newEd25519(t, image.TLVSHA256).private} {
		if _, err := m.Decrypt(key); kindOf(t, err) != string(image.ErrWrongDecryptionKey) {
			t.Errorf("a key of type %T: %v, want kind %q", key, err, image.ErrWrongDecryptionKey)
		}
	}
}

// TestDecompressRefuses breaks what a compressed image says about its plain form,
// and signs it again.
func TestDecompressRefuses(t *testing.T) {
	s := newEd25519(t, image.TLVSHA256)
	good := mustLoad(t, "sealed/comp-all.bin")
	entry := func(typ image.TLVType) image.TLV {
		return good.Protected[slices.IndexFunc(good.Protected, func(t image.TLV) bool { return t.Type == typ })]
	}
	size, hash := entry(image.TLVDecompSize), image.TLV{Type: image.TLVDecompSHA, Value: make([]byte, 32)}
	with := func(flags image.Flags, body []byte, protected ...image.TLV) *image.Image {
		p := parts{header: image.Header{Flags: flags}, body: body, protected: protected}
		p.unprotected = []image.TLV{s.keyHash(t), s.over(t, p)}
		return mustParse(t, p.hashed(image.TLVSHA256))
	}
	lzma := good.Header.Flags
	tests := []struct {
		name string
		m    *image.Image
		want image.Kind
	}{
		{"LZMA1", with(image.FlagCompressedLZMA1, good.Body(), size, hash), image.ErrCompressionUnknown},
		{"filter alone", with(image.FlagCompressedARMThumb, good.Body(), size, hash), image.ErrCompressionUnknown},
		{"no size", with(lzma, good.Body(), hash), image.ErrDecompMissing},
		{"no hash", with(lzma, good.Body(), size), image.ErrDecompMissing},
		{"hash of another type", with(lzma, good.Body(), size, zeros(image.TLVDecompSHA, 48)), image.ErrBadHashLength},
		{"other size", with(lzma, good.Body(), zeros(image.TLVDecompSize, 4), hash), image.ErrDecompSizeMismatch},
		{"bomb", with(lzma, good.Body(), image.TLV{Type: image.TLVDecompSize, Value: []byte{1, 0, 0, 1}}, hash),
			image.ErrDecompTooLarge},
		{"no stream", with(lzma, []byte("\x0a\x66nonsense"), size, hash), image.ErrBadCompression},
		{"empty body", with(lzma, nil, size, hash), image.ErrBadCompression},
		{"other hash", with(lzma, good.Body(), size, hash), image.ErrDecompHashMismatch},
	}
	for _, tt := range tests {
		err := tt.m.Verify(s.private.Public())
		if got := kindOf(t, err); got != string(tt.want) {
			t.Errorf("%s: Verify = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestDecompressAllocatesAsItGoes makes sure that a lie about the size costs no
// memory.
func TestDecompressAllocatesAsItGoes(t *testing.T) {
	good := mustLoad(t, "images/comp-lzma2.bin")
	p := parts{header: good.Header, body: good.Body()}
	p.header.ProtectedSize = 0
	p.protected = []image.TLV{{Type: image.TLVDecompSize, Value: []byte{0, 0, 0, 1}}, zeros(image.TLVDecompSHA, 32)}
	m := mustParse(t, p.hashed(image.TLVSHA256))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := m.Decompress()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, image.ErrDecompSizeMismatch) || got > 1<<20 {
		t.Errorf("16 MiB announced for 8 KiB: %d bytes allocated, %v", got, err)
	}
}

func TestWarningsOfFiles(t *testing.T) {
	if w := mustLoad(t, "sealed/comp-zero-padding.bin").Warnings(); len(w) != 1 ||
		!strings.Contains(w[0], "header padding") {
		t.Errorf("comp-zero-padding: warnings %q, want one on the header padding", w)
	}
	if w := mustLoad(t, "sealed/comp-all.bin").Warnings(); len(w) != 0 {
		t.Errorf("comp-all: warnings %q, want none", w)
	}
	if w := mustLoad(t, "images/prot-custom.bin").Warnings(); len(w) != 1 ||
		!strings.Contains(w[0], "0xfffe is the last protected one and empty") {
		t.Errorf("prot-custom: warnings %q, want one on the empty entry", w)
	}
	if w := recordImage(t, []byte{0}).Warnings(); len(w) != 1 || !strings.Contains(w[0], "BOOT_RECORD") {
		t.Errorf("boot record of one byte: warnings %q, want one on it", w)
	}
}

// TestVerifyDecompSignature takes the signature of the plain image away, or
// replaces it.
func TestVerifyDecompSignature(t *testing.T) {
	s, other := newEd25519(t, image.TLVSHA256), newEd25519(t, image.TLVSHA256)
	source := mustLoad(t, "images/comp-lzma2-armthumb.bin")
	plain, err := source.Decompress()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		entries []image.TLV
		want    image.Kind
	}{
		"right":   {[]image.TLV{{Type: image.TLVDecompSignature, Value: s.sign(t, plain.Hash()).Value}}, ""},
		"missing": {nil, image.ErrDecompSignature},
		"other key": {[]image.TLV{{Type: image.TLVDecompSignature, Value: other.sign(t, plain.Hash()).Value}},
			image.ErrDecompSignature},
		"other type": {[]image.TLV{zeros(image.TLVDecompSignature, 72)}, image.ErrDecompSignature},
		"of the file": {[]image.TLV{{Type: image.TLVDecompSignature, Value: s.sign(t, source.Hash()).Value}},
			image.ErrDecompSignature},
	} {
		p := parts{header: source.Header, body: source.Body()}
		p.header.ProtectedSize, p.header.HeaderSize = 0, uint16(source.Header.HeaderSize)
		p.protected = append(slices.Clone(source.Protected[:2]), tt.entries...)
		p.unprotected = []image.TLV{s.keyHash(t), s.over(t, p)}
		err := mustParse(t, p.hashed(image.TLVSHA256)).Verify(s.private.Public())
		if got := kindOf(t, err); got != string(tt.want) {
			t.Errorf("%s: Verify = %q (%v), want %q", name, got, err, tt.want)
		}
	}
}
