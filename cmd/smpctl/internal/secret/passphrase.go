package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/pflag"
)

const maxPassphrase = 4 << 10 // bytes of a file with a passphrase

// RegisterPassphrase declares the flag that says where passphrases of private keys are. There is none for a passphrase
// itself: everyone on the machine can read a command line.
func RegisterPassphrase(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "passphrase-file", "",
		"the first line of this `file` is the passphrase of the private key (environment SMPCTL_PASSPHRASE; else "+
			"smpctl asks)")
}

// Passphrase gives the passphrase of a key file, once it turns out that it is encrypted.
func Passphrase(a *app.App, ctx context.Context, key, file string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if text, found, err := storedPassphrase(a, file); found || err != nil {
			return text, err
		}
		text, err := AskSecret(a, ctx, fmt.Sprintf("Passphrase of %s: ", key))
		return text, explainSecret(err)
	}
}

// NewPassphrase gives a passphrase to encrypt a new key with. One that is typed is typed twice.
func NewPassphrase(a *app.App, ctx context.Context, path, file string) ([]byte, error) {
	text, found, err := storedPassphrase(a, file)
	if found || err != nil {
		return text, err
	}
	if text, err = AskSecret(a, ctx, fmt.Sprintf("Passphrase for %s: ", path)); err != nil || len(text) == 0 {
		return text, explainSecret(err)
	}
	again, err := AskSecret(a, ctx, "The same again: ")
	if err == nil && !bytes.Equal(text, again) {
		return nil, &image.Error{Kind: key.ErrPassphrase, Detail: "the two passphrases differ"}
	}
	return text, explainSecret(err)
}

// storedPassphrase takes the passphrase from the file, if one is named, or from the environment. An empty one counts as
// found: it is a mistake, and asking would only hide it.
func storedPassphrase(a *app.App, file string) (text []byte, found bool, err error) {
	if file == "" {
		value, ok := a.Env(child.PassphraseVariable)
		return []byte(value), ok, nil
	}
	data, err := files.Read(file, maxPassphrase)
	if err != nil {
		return nil, false, failure.AsUsage(fmt.Errorf("--passphrase-file: %w", err))
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), true, nil
}

// explainSecret says how to give a passphrase where nobody can be asked.
func explainSecret(err error) error {
	if errors.Is(err, errNoTerminal) {
		return &image.Error{Kind: key.ErrPassphrase, Detail: fmt.Sprintf(
			"the passphrase is missing, and %v: set %s or add --passphrase-file", err, child.PassphraseVariable)}
	}
	return err
}
