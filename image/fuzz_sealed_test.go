package image_test

import (
	"crypto"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// FuzzDecrypt holds that decryption takes any image, and that what comes out is
// whole.
func FuzzDecrypt(f *testing.F) {
	addFiles(f, "images/enc-*.bin")
	addFiles(f, "sealed/enc-*.bin")
	keys := []crypto.PrivateKey{
		readDecryptionKey(f, "enc-rsa-2048"), readDecryptionKey(f, "enc-ecdsa-p256"),
		readDecryptionKey(f, "enc-x25519"),
		[]byte("0123456789abcdef"), []byte("0123456789abcdef0123456789abcdef"),
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := image.Parse(file)
		if err != nil {
			return
		}
		for _, key := range keys {
			plain, err := m.Decrypt(key)
			if kindOf(t, err) != "" {
				continue
			}
			if err := plain.CheckHash(); err != nil || plain.Size() != m.Size() {
				t.Errorf("decrypted: %v, %d bytes out of %d", err, plain.Size(), m.Size())
			}
		}
	})
}

// FuzzDecompressImage holds that decompression takes any image, and that what
// comes out is whole and compressed no more.
func FuzzDecompressImage(f *testing.F) {
	addFiles(f, "images/comp-*.bin")
	addFiles(f, "sealed/comp-*.bin")
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := image.Parse(file)
		if err != nil {
			return
		}
		plain, err := m.Decompress()
		if kindOf(t, err) != "" {
			return
		}
		if err := plain.CheckHash(); err != nil || plain.Compressed() {
			t.Errorf("decompressed: %v, flags %s", err, plain.Header.Flags)
		}
	})
}
