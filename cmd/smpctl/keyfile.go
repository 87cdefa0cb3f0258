package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// maxKeyFile bounds the bytes of a key file: far more than any key has.
const maxKeyFile = 1 << 20

// openKey opens a private key file.
func (a *app) openKey(ctx context.Context, path, passphraseFile string) (crypto.Signer, error) {
	data, err := readFile(path, maxKeyFile)
	if err != nil {
		return nil, asUsage(fmt.Errorf("key: %w", err))
	}
	signer, err := key.ParsePrivate(data, a.passphrase(ctx, path, passphraseFile))
	if err != nil {
		return nil, keyError("key", path, err)
	}
	return signer, nil
}

// keyError is about a key that a flag names: another file would be right, but for a passphrase that is missing or
// wrong, and for a key that is weak.
func keyError(flag, path string, err error) error {
	err = fmt.Errorf("%s %s: %w", flag, path, err)
	if errors.Is(err, image.ErrBadKey) {
		return asUsage(err)
	}
	return err
}
