package signing

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type generateOptions struct {
	out            string
	keyType        app.Choice
	encrypt        bool
	passphraseFile string
}

func keyGenerateCommand(a *app.App) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:        "generate -k <file> --type <type>",
		SuggestFor: []string{"keygen", "new", "create"},
		Short:      "Make a new private key",
		Long: `Make a new private key: PKCS#8 in PEM, as imgtool keygen writes it, readable by you alone. A file
that exists is never overwritten.

With --password the file is encrypted; the passphrase is the first line of --passphrase-file, or in
SMPCTL_PASSPHRASE, or typed twice. What differs from imgtool: -t is --timeout and -p is --port, so
--type and --password have no short form.`,
		Example: `  smpctl key generate -k key.pem --type ed25519
  smpctl key generate -k key.pem --type ecdsa-p256 --password`,
		Args: app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) { return keyGenerate(ctx, a, o) }),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "key", "k", "", "write the key to this `file`, which must not exist")
	o.keyType = app.NewChoice(f, "type", "", "type of the key: "+human.Or(key.Types()),
		append([]string{""}, key.Types()...)...)
	f.BoolVar(&o.encrypt, "password", false, "encrypt the key with a passphrase")
	f.StringVar(&o.passphraseFile, secret.FileFlag, "", secret.FileFlagUsage)
	app.Require(cmd, "key", "type")
	cmd.SetFlagErrorFunc(explainShort)
	return cmd
}

// explainShort helps those who type imgtool's short flags.
func explainShort(cmd *cobra.Command, err error) error {
	var wrong *pflag.InvalidValueError
	var valueless *pflag.ValueRequiredError
	switch {
	case errors.As(err, &wrong) && wrong.GetFlag().Name == "timeout":
		return failure.WithHint(app.FlagError(cmd, err), "imgtool's -t is --type here")
	case errors.As(err, &valueless) && valueless.GetFlag().Name == "port":
		return failure.WithHint(app.FlagError(cmd, err), "imgtool's -p is --password here")
	}
	return app.FlagError(cmd, err)
}

// generatedKey is the result of key generate.
type generatedKey struct {
	File      string `json:"file"` // path of the private key
	KeyType   string `json:"key_type"`
	Encrypted bool   `json:"encrypted"` // with a passphrase
	HashType  string `json:"hash_type"`
	KeyHash   string `json:"key_hash"`
	PublicKey string `json:"public_key_pem"` // its public half, as PEM
}

func keyGenerate(ctx context.Context, a *app.App, o generateOptions) (app.Result, error) {
	switch {
	case a.Flags.Port != "":
		return nil, failure.Usage("-p is --port, which key generate has no use for; imgtool's -p is --password")
	case o.passphraseFile != "" && !o.encrypt:
		return nil, failure.Usage("--passphrase-file: the key is encrypted only with --password")
	}
	if _, err := os.Lstat(o.out); err == nil {
		return nil, errKeyExists(o.out)
	}
	var passphrase []byte
	if o.encrypt {
		var err error
		if passphrase, err = secrets(a, o.passphraseFile).NewPassphrase(ctx, o.out); err != nil {
			return nil, err
		}
		passphrase = append([]byte{}, passphrase...) // an empty one is not none
	}
	private, err := key.Generate(o.keyType.String())
	if err != nil {
		return nil, err
	}
	file, err := key.MarshalPrivate(private, passphrase)
	if err != nil {
		return nil, err
	}
	r, err := newGeneratedKey(o, file, passphrase)
	if err != nil {
		return nil, err
	}
	err = files.Write(o.out, file, files.Options{Private: true, New: true, Durable: true})
	if errors.Is(err, fs.ErrExist) { // what another program put there meanwhile stays
		return nil, errKeyExists(o.out)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// newGeneratedKey reads the key back, as whoever uses it will.
func newGeneratedKey(o generateOptions, file, secret []byte) (generatedKey, error) {
	r := generatedKey{File: o.out, Encrypted: o.encrypt}
	pub, err := key.PublicHalf(file, func() ([]byte, error) { return secret, nil })
	if err != nil {
		return r, err
	}
	if r.KeyType, err = key.Name(pub); err != nil {
		return r, err
	}
	typ := image.TLVSHA256
	if r.KeyType == "ECDSA P-384" {
		typ = image.TLVSHA384
	}
	sum, err := key.Hash(pub, typ)
	if err != nil {
		return r, err
	}
	text, err := key.PublicPEM(pub)
	r.HashType, r.KeyHash, r.PublicKey = typ.String(), hex.EncodeToString(sum), string(text)
	return r, err
}

func errKeyExists(path string) error {
	return failure.Usage("--key %s: exists, and a key is never overwritten: name another file", path)
}

// Text prints what was made, and what to do with it.
func (r generatedKey) Text(w io.Writer) error {
	protection := "not encrypted"
	if r.Encrypted {
		protection = "encrypted"
	}
	fmt.Fprintf(w, "written    %s, a new %s key, %s\n", r.File, r.KeyType, protection)
	fmt.Fprintf(w, "key hash   %s %s\n", r.HashType, r.KeyHash)
	fmt.Fprintf(w, "next       smpctl key public %s, for the bootloader\n", r.File)
	_, err := fmt.Fprintf(w, "keep       it and a copy where nobody else can read them, out of version control: %s\n",
		r.loss())
	return err
}

// loss is what happens without the key.
func (r generatedKey) loss() string {
	if r.KeyType == "X25519" {
		return "who has it can read every image"
	}
	return "without it no device that trusts it can be updated, and with it everyone can"
}
