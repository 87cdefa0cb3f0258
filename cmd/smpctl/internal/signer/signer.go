package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/pflag"
)

// signing is what a signer outside of this process is asked for.
type signing struct {
	algorithm string // ecdsa-p256-sha256 and so on, in words of section "exec:" of docs/signing.md
	hash      string // sha256, sha384 or sha512: the image hash
	hashType  image.TLVType
	keyHash   []byte // of the expected key, as the image names it
	public    []byte // the expected key, SubjectPublicKeyInfo
	input     Input
	digest    []byte
	data      []byte // digest or payload, as input says
}

// NewSigning says what is to be signed of an image. An Ed25519 key signs the digest as a message, or the payload of a
// pure image; there the choice is not the signer's.
func NewSigning(u *image.Unsigned, input Input) (signing, error) {
	pub := u.PublicKey()
	s := signing{hashType: u.HashType(), hash: strings.ToLower(u.HashType().String()), input: input, digest: u.Digest()}
	var err error
	if s.keyHash, err = key.Hash(pub, s.hashType); err != nil {
		return s, err
	}
	if s.public, err = x509.MarshalPKIXPublicKey(pub); err != nil {
		return s, err
	}
	s.algorithm = algorithmName(u)
	_, edwards := pub.(ed25519.PublicKey)
	switch {
	case u.Pure() && input == inputDigest:
		return s, failure.Usage("--signer-input digest: a pure signature covers the payload")
	case edwards && !u.Pure() && input == inputPayload:
		return s, failure.Usage("--signer-input payload: an Ed25519 key signs the digest of this image, or the payload with " +
			"--pure")
	case input == "" && u.Pure():
		s.input = inputPayload
	case input == "":
		s.input = inputDigest
	}
	s.data = s.digest
	if s.input == inputPayload {
		s.data = u.Payload()
	}
	return s, nil
}

// algorithmName is the signature algorithm in words, all parameters included.
func algorithmName(u *image.Unsigned) string {
	switch pub := u.PublicKey().(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d-pss-sha256-mgf1-sha256-salt32", pub.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("ecdsa-p%d-%s", pub.Curve.Params().BitSize, strings.ToLower(u.HashType().String()))
	}
	return "ed25519"
}

// Input says what a signer gets: the digest, or the payload that it hashes itself.
type Input string

const (
	inputDigest  Input = "digest"
	inputPayload Input = "payload"
)

// outsideSigner makes a signature where this process holds no key. What it gives is in any encoding, and not verified
// yet.
type outsideSigner interface {
	sign(ctx context.Context, s signing) ([]byte, error)
}

// The beginnings of a --signer that is not a key file.
const (
	execScheme   = "exec:"
	pkcs11Scheme = "pkcs11:"
)

// Flags say who signs.
type Flags struct {
	Name      string
	PublicKey string
	input     app.Choice
	limit     app.Seconds

	passphraseFile string
}

// defaultSignerLimit leaves a person the time to find a card and to type a PIN.
const defaultSignerLimit = 5 * time.Minute

func (s *Flags) Register(f *pflag.FlagSet) {
	s.limit = app.Seconds(defaultSignerLimit)
	f.StringVar(&s.Name, "signer", "", "who signs: a private `key` file (PEM), exec:COMMAND or pkcs11:URI")
	f.StringVar(&s.PublicKey, "public-key", "", "public `key` (PEM) that the signature must be by")
	s.input = app.NewChoice(f, "signer-input", "",
		"what exec: and pkcs11: signers get: the `digest`, or the payload that they hash themselves",
		"", "digest", "payload")
	f.Var(&s.limit, "signer-timeout", "how long such a signer may take")
	secret.RegisterPassphrase(f, &s.passphraseFile)
}

// Completer adds the signature to an image.
type Completer func(context.Context, *image.Unsigned) ([]byte, error)

// Open opens who signs, and gives the public key that the image is to name. The signer's own is taken where none
// is given; one outside of this process has none to show.
func Open(a *app.App, ctx context.Context, o Flags) (Completer, crypto.PublicKey, error) {
	var pub crypto.PublicKey
	var err error
	if o.PublicKey != "" {
		if pub, err = trust.ReadPublicKey(o.PublicKey); err != nil {
			return nil, nil, err
		}
	}
	outside, err := outside(a, o.Name, time.Duration(o.limit))
	switch {
	case err != nil:
		return nil, nil, err
	case outside != nil && pub == nil:
		return nil, nil, failure.Usage("--signer %.60s: --public-key is missing, which says whose signature is expected",
			o.Name)
	case outside != nil:
		return func(ctx context.Context, u *image.Unsigned) ([]byte,
			error) {
			return signOutside(ctx, u, outside, o)
		}, pub, nil
	case o.input.String() != "":
		return nil, nil, failure.Usage("--signer-input: is for exec: and pkcs11: signers")
	}
	key, err := secret.OpenKey(a, ctx, o.Name, o.passphraseFile)
	if err != nil {
		return nil, nil, err
	}
	if pub == nil {
		pub = key.Public()
	}
	return func(_ context.Context, u *image.Unsigned) ([]byte,
		error) {
		return image.Sign(u, key, rand.Reader)
	}, pub, nil
}

// signOutside has an image signed where its key is. What comes back is verified before it becomes part of a file.
func signOutside(ctx context.Context, u *image.Unsigned, by outsideSigner, o Flags) ([]byte, error) {
	s, err := NewSigning(u, Input(o.input.String()))
	if err != nil {
		return nil, err
	}
	sig, err := by.sign(ctx, s)
	if err != nil {
		return nil, err
	}
	return u.Attach(sig)
}

// outside returns the signer that a --signer names, nil if it is a key file.
func outside(a *app.App, text string, limit time.Duration) (outsideSigner, error) {
	if command, ok := strings.CutPrefix(text, execScheme); ok {
		if strings.TrimSpace(command) == "" {
			return nil, failure.Usage("--signer %s: a command is missing", text)
		}
		return &commandSigner{a, command, limit}, nil
	}
	if len(text) >= len(pkcs11Scheme) && strings.EqualFold(text[:len(pkcs11Scheme)], pkcs11Scheme) {
		uri, err := parsePKCS11URI(text)
		if err != nil {
			return nil, failure.Usage("--signer: %w", err)
		}
		return &tokenSigner{a, uri, limit}, nil
	}
	return nil, nil
}

// signerError is a signer that did not give a signature. The reason is for programs.
type signerError struct {
	signer string
	word   string
	err    error
}

func (e *signerError) Reason() string { return e.word }

func (e *signerError) Error() string { return e.signer + ": " + e.err.Error() }

func (e *signerError) Unwrap() error { return e.err }

// Limits of what is taken from a signer, so that a wrong command cannot fill the memory or the screen.
const (
	maxSignerOutput = 64 << 10 // bytes; the longest signature in hex has 1 KiB
	maxSignerNotes  = 64 << 10 // bytes of its standard error that are shown
	maxNote         = 1 << 10  // bytes of one line
)

// signerNotes shows a signer's standard error line by line while it runs, as it may ask for a touch or a card, and
// keeps the last line.
type signerNotes struct {
	app   *app.App
	line  bytes.Buffer
	last  string
	shown int
}

func (n *signerNotes) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' || c == '\r' {
			n.flush()
		} else if n.line.Len() < maxNote {
			n.line.WriteByte(c)
		}
	}
	return len(b), nil
}

func (n *signerNotes) flush() {
	text := strings.TrimSpace(n.line.String())
	n.line.Reset()
	if text == "" {
		return
	}
	n.last = text
	n.shown += len(text)
	if n.shown <= maxSignerNotes {
		note(n.app, "signer", text)
	}
}

// note passes on a line of a program that runs for this one.
func note(a *app.App, from, text string) {
	switch {
	case a.Flags.Quiet:
	case a.Flags.JSON:
		_ = json.NewEncoder(a.Err).Encode(map[string]string{"event": from, "message": text})
	default:
		fmt.Fprintf(a.Err, "%s: %s\n", from, text)
	}
}
