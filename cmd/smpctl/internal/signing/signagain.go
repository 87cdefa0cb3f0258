package signing

import (
	"context"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/spf13/cobra"
)

type signAgainOptions struct {
	build  buildFlags // those of the signature
	signer signerFlags
	out    string
}

func signAgainCommand(a *app.App) *cobra.Command {
	var o signAgainOptions
	cmd := &cobra.Command{
		Use:        "again <image> -o <out>",
		SuggestFor: []string{"resign"},
		Short:      "Replace the signature of an image",
		Long: `Replace the signature of an image, .bin or Intel HEX, or sign one that has none, such as Zephyr
makes without a key. What is under the signature stays as it is to the last byte: header, firmware,
version, counter. Hash, key and signature are made anew; all others are dropped.

An image that is encrypted, compressed with a signature, or has a boot record of another signer has
to be signed from the firmware binary.`,
		Example: `  smpctl sign again zephyr.unsigned.bin -o app.signed.bin --signer key.pem
  smpctl sign again app.signed.bin -o app.release.bin --public-key release.pub.pem --signer 'exec:./sign-with-kms.sh'`,
		Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return signAgain(ctx, a, args[0], o)
		}),
	}
	f := cmd.Flags()
	o.signer.register(f)
	f.StringVarP(&o.out, "output", "o", "", "write the image to this `file`: Intel HEX if it ends in .hex")
	o.build.registerSignature(f)
	app.Heading(f, "Signature", "public-key-format")
	app.Require(cmd, "output", "signer")
	return cmd
}

func signAgain(ctx context.Context, a *app.App, path string, o signAgainOptions) (app.Result, error) {
	if err := files.Apart([]string{o.out}, append(o.signer.files(), path)); err != nil {
		return nil, err
	}
	complete, pub, err := signer.Open(ctx, o.signer.options(a))
	if err != nil {
		return nil, err
	}
	u, at, err := again(path, pub, o.build.signOptions())
	if err != nil {
		return nil, err
	}
	to, err := at(o.out)
	if err != nil {
		return nil, err
	}
	file, err := complete(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return writeImage(a, u, file, path, to, "")
}
