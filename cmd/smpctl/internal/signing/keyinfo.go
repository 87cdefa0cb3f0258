package signing

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/cobra"
)

func keyInfoCommand(a *app.App) *cobra.Command {
	var want app.Choice
	cmd := &cobra.Command{
		Use:        "info <file>",
		SuggestFor: []string{"keyinfo"},
		Short:      "Say whether a key file holds a private key",
		Long: `Say whether a key file holds a private key or only its public half, in one word, as imgtool keyinfo
does. With --require a build stops if it is the other one: a bootloader wants public keys.

An encrypted key is private; it is not decrypted, and no passphrase is asked for. With --json there
is the type of the key too.`,
		Example: `  smpctl key info key.pem
  smpctl key info release.pub.pem --require public`,
		Args: app.Takes(1, 1),
		RunE: a.Run(func(_ context.Context, args []string) (app.Result, error) {
			return keyInfo(args[0], want.String())
		}),
	}
	want = app.NewChoice(cmd.Flags(), "require", "", "refuse a key that is not this: any, private or public",
		"any", "private", "public")
	return cmd
}

// keyInfoResult is the result of key info.
type keyInfoResult struct {
	File      string `json:"file"`
	Half      string `json:"half"`               // private or public
	Encrypted bool   `json:"encrypted"`          // the file wants a passphrase
	KeyType   string `json:"key_type,omitempty"` // absent if the file is encrypted
}

// Text is what a build script takes.
func (r keyInfoResult) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, r.Half)
	return err
}

func keyInfo(path, want string) (app.Result, error) {
	data, err := files.ReadInput("key", path, trust.MaxKeyFile)
	if err != nil {
		return nil, err
	}
	r := keyInfoResult{File: path, Half: "public"}
	if key.IsPrivate(data) {
		r.Half = "private"
	}
	var pub crypto.PublicKey
	switch pub, err = key.PublicHalf(data, nil); {
	case errors.Is(err, key.ErrPassphrase):
		r.Encrypted = true
	case err != nil:
		return nil, trust.KeyError("key", path, err)
	default:
		if r.KeyType, err = key.Name(pub); err != nil {
			return nil, err
		}
	}
	if want != "any" && want != r.Half {
		return nil, failure.Usage("%s: the key is %s, and --require %s refuses that", path, r.Half, want)
	}
	return r, nil
}
