package trust

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// Key is a public key that the user trusts.
type Key struct {
	path   string
	public crypto.PublicKey
}

// ReadKeys reads the files of public keys, in their order.
func ReadKeys(paths []string) ([]Key, error) {
	var keys []Key
	for _, path := range paths {
		public, err := ReadPublicKey(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, Key{path, public})
	}
	return keys, nil
}

// CheckSignature refuses an image that none of the keys has signed. No keys accept everything. Of an encrypted image
// nothing can be said: that is no error, but a warning, else empty. The label stands in front of both.
func CheckSignature(label string, img *image.Image, keys []Key) (warning string, err error) {
	var first error
	for _, k := range keys {
		err := img.Verify(k.public)
		if err == nil {
			return "", nil
		}
		err = fmt.Errorf("%s: with key %s: %w", label, k.path, err)
		if errors.Is(err, image.ErrEncrypted) {
			return err.Error(), nil
		}
		if first == nil {
			first = err
		}
	}
	if len(keys) > 1 {
		first = fmt.Errorf("%w (nor does any of the other %d keys fit)", first, len(keys)-1)
	}
	return "", first
}

// ReadPublicKey reads the public half of a signing key: PEM, DER or a certificate. A file that holds none is wrong
// usage.
func ReadPublicKey(path string) (crypto.PublicKey, error) {
	data, err := files.ReadInput("key", path, MaxKeyFile)
	if err != nil {
		return nil, err
	}
	public, err := key.ParsePublic(data)
	if err != nil {
		return nil, KeyError("key", path, err)
	}
	return public, nil
}

// MaxKeyFile bounds the bytes of a key file: far more than any key has.
const MaxKeyFile = 1 << 20

// KeyError is about a key that a flag names: another file would be right, but for a passphrase that is missing or
// wrong, and for a key that is weak.
func KeyError(flag, path string, err error) error {
	err = fmt.Errorf("%s %s: %w", flag, path, err)
	if errors.Is(err, image.ErrBadKey) {
		return failure.WithHint(failure.AsUsage(err), "") // the sentence says it all
	}
	return err
}
