package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/pflag"
)

const maxPassphrase = 4 << 10 // bytes of a file with a passphrase

// registerPassphrase declares the flag that says where passphrases of private keys are. There is none for a passphrase
// itself: everyone on the machine can read a command line.
func registerPassphrase(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "passphrase-file", "",
		"the first line of this `file` is the passphrase of the private key (environment SMPCTL_PASSPHRASE; else "+
			"smpctl asks)")
}

// passphrase gives the passphrase of a key file, once it turns out that it is encrypted.
func (a *app) passphrase(ctx context.Context, key, file string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if text, found, err := a.storedPassphrase(file); found || err != nil {
			return text, err
		}
		text, err := a.askSecret(ctx, fmt.Sprintf("Passphrase of %s: ", key))
		return text, explainSecret(err)
	}
}

// newPassphrase gives a passphrase to encrypt a new key with. One that is typed is typed twice.
func (a *app) newPassphrase(ctx context.Context, path, file string) ([]byte, error) {
	text, found, err := a.storedPassphrase(file)
	if found || err != nil {
		return text, err
	}
	if text, err = a.askSecret(ctx, fmt.Sprintf("Passphrase for %s: ", path)); err != nil || len(text) == 0 {
		return text, explainSecret(err)
	}
	again, err := a.askSecret(ctx, "The same again: ")
	if err == nil && !bytes.Equal(text, again) {
		return nil, &image.Error{Kind: key.ErrPassphrase, Detail: "the two passphrases differ"}
	}
	return text, explainSecret(err)
}

// storedPassphrase takes the passphrase from the file, if one is named, or from the environment. An empty one counts as
// found: it is a mistake, and asking would only hide it.
func (a *app) storedPassphrase(file string) (text []byte, found bool, err error) {
	if file == "" {
		value, ok := a.env(passphraseVariable)
		return []byte(value), ok, nil
	}
	data, err := readFile(file, maxPassphrase)
	if err != nil {
		return nil, false, asUsage(fmt.Errorf("--passphrase-file: %w", err))
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), true, nil
}

// explainSecret says how to give a passphrase where nobody can be asked.
func explainSecret(err error) error {
	if errors.Is(err, errNoTerminal) {
		return &image.Error{Kind: key.ErrPassphrase, Detail: fmt.Sprintf(
			"the passphrase is missing, and %v: set %s or add --passphrase-file", err, passphraseVariable)}
	}
	return err
}
