package signer

import (
	"context"
	"crypto"
	"crypto/rand"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
)

// Options say who signs.
type Options struct {
	Name      string        // a private key file, exec:COMMAND or pkcs11:URI
	PublicKey string        // the file of the key that the signature must be by; empty: the signer's own
	Input     Input         // what a signer outside of this process gets; empty: what goes with its key
	Limit     time.Duration // for such a signer, a PIN typed by hand included
	Secrets   secret.Source
	Note      func(text string) // is told each line that such a signer says
}

// DefaultLimit leaves a person the time to find a card and to type a PIN.
const DefaultLimit = 5 * time.Minute

// The beginnings of a name that is not a key file's.
const (
	execScheme   = "exec:"
	pkcs11Scheme = "pkcs11:"
)

// Completer adds the signature to an image.
type Completer func(context.Context, *image.Unsigned) ([]byte, error)

// Open opens who signs, and gives the public key that the image is to name. Where none is given it is the signer's own;
// one outside of this process has none to show.
func Open(ctx context.Context, o Options) (Completer, crypto.PublicKey, error) {
	var public crypto.PublicKey
	var err error
	if o.PublicKey != "" {
		if public, err = trust.ReadPublicKey(o.PublicKey); err != nil {
			return nil, nil, err
		}
	}
	by, err := o.outside()
	switch {
	case err != nil:
		return nil, nil, err
	case by != nil && public == nil:
		return nil, nil, failure.Usage("--signer %.60s: --public-key is missing, which says whose signature is "+
			"expected", o.Name)
	case by != nil:
		return func(ctx context.Context, u *image.Unsigned) ([]byte, error) {
			return signOutside(ctx, u, by, o.Input)
		}, public, nil
	case o.Input != "":
		return nil, nil, failure.Usage("--signer-input: is for exec: and pkcs11: signers")
	}
	private, err := o.Secrets.OpenKey(ctx, o.Name)
	if err != nil {
		return nil, nil, err
	}
	if public == nil {
		public = private.Public()
	}
	return func(_ context.Context, u *image.Unsigned) ([]byte, error) {
		return image.Sign(u, private, rand.Reader)
	}, public, nil
}

// signOutside has an image signed where its key is. What comes back is verified before it becomes part of a file.
func signOutside(ctx context.Context, u *image.Unsigned, by outsideSigner, input Input) ([]byte, error) {
	j, err := newJob(u, input)
	if err != nil {
		return nil, err
	}
	sig, err := by.sign(ctx, j)
	if err != nil {
		return nil, err
	}
	return u.Attach(sig)
}

// outsideSigner makes a signature where this process holds no key. What it gives is in any encoding, and not verified
// yet.
type outsideSigner interface {
	sign(ctx context.Context, j job) ([]byte, error)
}

// outside returns the signer of that name, nil if it is a key file.
func (o Options) outside() (outsideSigner, error) {
	if command, ok := strings.CutPrefix(o.Name, execScheme); ok {
		if strings.TrimSpace(command) == "" {
			return nil, failure.Usage("--signer %s: a command is missing", o.Name)
		}
		return &commandSigner{command, o.Limit, o.Note}, nil
	}
	if len(o.Name) >= len(pkcs11Scheme) && strings.EqualFold(o.Name[:len(pkcs11Scheme)], pkcs11Scheme) {
		uri, err := parsePKCS11URI(o.Name)
		if err != nil {
			return nil, failure.Usage("--signer: %w", err)
		}
		return &tokenSigner{uri, o.Limit, o.Secrets, o.Note}, nil
	}
	return nil, nil
}
