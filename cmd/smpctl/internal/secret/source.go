package secret

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// The flag that says where the passphrase of a private key is. There is none for the passphrase itself.
const (
	FileFlag      = "passphrase-file"
	FileFlagUsage = "take the passphrase from the first line of this `file` (environment " + child.PassphraseVariable +
		"; else asks)"
)

const maxPassphrase = 4 << 10 // bytes of a file with a passphrase

// Source is where secrets come from.
type Source struct {
	File  string                           // with a passphrase in its first line; empty: there is none
	Env   func(name string) (string, bool) // looks up a variable
	Spawn func(f func())                   // runs f in a goroutine that may outlive the command
}

// OpenKey opens a private key file.
func (s Source) OpenKey(ctx context.Context, path string) (crypto.Signer, error) {
	data, err := files.ReadInput("key", path, trust.MaxKeyFile)
	if err != nil {
		return nil, err
	}
	signer, err := key.ParsePrivate(data, s.Passphrase(ctx, path))
	if err != nil {
		return nil, trust.KeyError("key", path, err)
	}
	return signer, nil
}

// Passphrase gives the passphrase of a key file, once it turns out that it is encrypted.
func (s Source) Passphrase(ctx context.Context, path string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if text, found, err := s.stored(); found || err != nil {
			return text, err
		}
		text, err := s.Ask(ctx, fmt.Sprintf("Passphrase of %s: ", path))
		return text, explain(err)
	}
}

// NewPassphrase gives a passphrase to encrypt a new key with. One that is typed is typed twice.
func (s Source) NewPassphrase(ctx context.Context, path string) ([]byte, error) {
	text, found, err := s.stored()
	if found || err != nil {
		return text, err
	}
	if text, err = s.Ask(ctx, fmt.Sprintf("Passphrase for %s: ", path)); err != nil || len(text) == 0 {
		return text, explain(err)
	}
	again, err := s.Ask(ctx, "The same again: ")
	if err == nil && !bytes.Equal(text, again) {
		return nil, &image.Error{Kind: key.ErrPassphrase, Detail: "the two passphrases differ"}
	}
	return text, explain(err)
}

// stored takes the passphrase from the file, if one is named, or from the environment. An empty one counts as found: it
// is a mistake, and asking would only hide it.
func (s Source) stored() (text []byte, found bool, err error) {
	if s.File == "" {
		value, ok := s.Env(child.PassphraseVariable)
		return []byte(value), ok, nil
	}
	data, err := files.ReadInput("--"+FileFlag, s.File, maxPassphrase)
	if err != nil {
		return nil, false, err
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), true, nil
}

// explain says how to give a passphrase where nobody can be asked.
func explain(err error) error {
	if errors.Is(err, errNoTerminal) {
		return &image.Error{Kind: key.ErrPassphrase, Detail: fmt.Sprintf(
			"the passphrase is missing, and %v: set %s or add --%s", err, child.PassphraseVariable, FileFlag)}
	}
	return err
}
