package signing

import (
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/spf13/pflag"
)

// signerFlags say who signs.
type signerFlags struct {
	name           string
	publicKey      string
	input          app.Choice
	limit          app.Seconds
	passphraseFile string
}

func (s *signerFlags) register(f *pflag.FlagSet) {
	s.limit = app.Seconds(signer.DefaultLimit)
	f.StringVar(&s.name, "signer", "", "who signs: a private key file (PEM), exec:COMMAND or pkcs11:URI")
	f.StringVar(&s.publicKey, "public-key", "", "public `key` (PEM) that the signature must be by")
	s.input = app.NewChoice(f, "signer-input", "",
		"what an exec: or pkcs11: signer gets: digest, or payload to hash itself",
		"", string(signer.InputDigest), string(signer.InputPayload))
	f.Var(&s.limit, "signer-timeout", "how long an exec: or pkcs11: signer may take")
	f.StringVar(&s.passphraseFile, secret.FileFlag, "", secret.FileFlagUsage)
}

// files are the files that the flags name. What is no file is harmless here.
func (s *signerFlags) files() []string { return []string{s.name, s.publicKey, s.passphraseFile} }

// options gives what the flags say to package signer.
func (s *signerFlags) options(a *app.App) signer.Options {
	return signer.Options{
		Name: s.name, PublicKey: s.publicKey, Input: signer.Input(s.input.String()), Limit: time.Duration(s.limit),
		Secrets: secrets(a, s.passphraseFile), Note: func(text string) { a.Quote(app.FromSigner, text) },
	}
}

// secrets is where passphrases and PINs come from.
func secrets(a *app.App, passphraseFile string) secret.Source {
	return secret.Source{File: passphraseFile, Env: a.Env, Spawn: a.Spawn}
}
