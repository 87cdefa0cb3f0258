package trust

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// MaxKeyFile bounds the bytes of a key file: far more than any key has.
const MaxKeyFile = 1 << 20

// KeyError is about a key that a flag names: another file would be right, but for a passphrase that is missing or
// wrong, and for a key that is weak.
func KeyError(flag, path string, err error) error {
	err = fmt.Errorf("%s %s: %w", flag, path, err)
	if errors.Is(err, image.ErrBadKey) {
		return failure.AsUsage(err)
	}
	return err
}

// Key is a public key that the user trusts.
type Key struct {
	path   string
	public crypto.PublicKey
}

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

// CheckSignature refuses an image that none of the keys has signed. No keys accept everything.
func CheckSignature(a *app.App, label string, img *image.Image, keys []Key) error {
	var first error
	for _, k := range keys {
		err := img.Verify(k.public)
		if errors.Is(err, image.ErrEncrypted) {
			a.Warn("%s: with key %s: %v", label, k.path, err)
			return nil
		}
		if err == nil {
			return nil
		}
		if first == nil {
			first = fmt.Errorf("%s: with key %s: %w", label, k.path, err)
		}
	}
	if len(keys) > 1 {
		first = fmt.Errorf("%w (nor does any of the other %d keys fit)", first, len(keys)-1)
	}
	return first
}

// ReadPublicKey reads the public half of a signing key.
func ReadPublicKey(path string) (crypto.PublicKey, error) {
	const largest = 1 << 20 // far more than any key
	b, err := files.Read(path, largest)
	if err != nil {
		return nil, failure.AsUsage(fmt.Errorf("key: %w", err))
	}
	pub, err := key.ParsePublic(b)
	if err != nil {
		return nil, KeyError("key", path, err)
	}
	return pub, nil
}
