package signing

import (
	"context"
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
	"github.com/spf13/cobra"
)

type signOptions struct {
	build     buildFlags
	out       string
	signer    signerFlags
	keyFile   string
	fixSig    string
	fixSigKey string
	vector    app.Choice
	sigOut    string
}

func signCommand(a *app.App) *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:     "sign <file> -o <out>",
		Aliases: []string{"create"}, // imgtool's
		Short:   "Make a signed image of a firmware binary",
		Long: `Make an MCUboot image of a firmware binary, .bin or Intel HEX (.hex), and sign it. The options are
imgtool's, and so are the bytes.

The signature is verified and the whole file read back before OUT is written, which happens at once
or not at all. Without a signer the image carries its hash only.

A key that is in a vault or a token stays there: exec:COMMAND gives the digest to a command and
takes the signature from its standard output, pkcs11:URI has a token sign. Both need --public-key.
docs/signing.md has recipes.

What differs from imgtool: -c is --conn, so --clear has no short form; a key with a passphrase never
gives an unsigned image; big-endian images are not made.`,
		Example: "  smpctl sign zephyr.bin -o app.signed.bin --signer key.pem --version 1.2.3 --header-size 0x200 " +
			"--pad-header --slot-size 0xe8000\n" +
			"  smpctl sign -k key.pem -v 1.2.3+4 -H 0x200 -S 0xe8000 zephyr.hex app.signed.hex\n" +
			"  smpctl sign zephyr.bin -o app.signed.bin -v 1.2.3 -H 0x200 -S 0xe8000 --public-key pub.pem " +
			"--signer 'exec:./aws-kms.sh alias/firmware'",
		Args: app.Takes(1, 2),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			if len(args) == 2 && o.out == "" {
				o.out = args[1] // as imgtool has it
			} else if len(args) == 2 {
				return nil, failure.Usage("%s and --output %s: which is the output?", args[1], o.out)
			}
			return sign(ctx, a, args[0], o)
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write the image to this `file`: Intel HEX if it ends in .hex")
	o.signer.register(f)
	f.StringVarP(&o.keyFile, "key", "k", "", "the same as --signer `FILE`, by imgtool's name")
	f.StringVar(&o.fixSig, "fix-sig", "", "take the signature from this `file`")
	f.StringVar(&o.fixSigKey, "fix-sig-pubkey", "", "the same as --public-key `KEY`, by imgtool's name")
	o.vector = app.NewChoice(f, "vector-to-sign", "",
		"write what is to be signed instead of an image: payload or digest", "", "payload", "digest")
	f.StringVar(&o.sigOut, "sig-out", "", "also write the signature to this `file`, in base64")
	o.build.register(f)
	app.Require(cmd, requiredToBuild...)
	cmd.AddCommand(signPrepareCommand(a), signAttachCommand(a), signAgainCommand(a))
	return cmd
}

// checkSign refuses combinations that would do something else than was meant.
func checkSign(a *app.App, o *signOptions) error {
	if o.signer.name != "" && o.keyFile != "" || o.signer.publicKey != "" && o.fixSigKey != "" {
		return failure.Usage("a key is given twice, by both names of its flag")
	}
	o.signer.name += o.keyFile
	o.signer.publicKey += o.fixSigKey
	ways := 0
	for _, way := range []string{o.signer.name, o.fixSig, o.vector.String()} {
		if way != "" {
			ways++
		}
	}
	switch {
	case o.out == "":
		return failure.Usage("--output is missing")
	case a.Flags.Conn != "":
		return failure.Usage("-c is --conn, which sign has no use for; imgtool's -c is --clear")
	case ways > 1:
		return failure.Usage("--signer, --fix-sig and --vector-to-sign: one at a time")
	case ways == 0 && o.signer.publicKey != "":
		return failure.Usage("a public key, but nothing that signs: add --signer, --fix-sig or --vector-to-sign")
	case o.fixSig != "" && o.signer.publicKey == "":
		return failure.Usage("--fix-sig: the signature cannot be verified without --public-key")
	case o.sigOut != "" && o.signer.name == "" && o.fixSig == "":
		return failure.Usage("--sig-out: there is no signature without a key")
	}
	return nil
}

func sign(ctx context.Context, a *app.App, path string, o signOptions) (app.Result, error) {
	if err := checkSign(a, &o); err != nil {
		return nil, err
	}
	inputs := slices.Concat([]string{path, o.fixSig}, o.signer.files(), o.build.files())
	if err := files.Apart([]string{o.out, o.sigOut}, inputs); err != nil {
		return nil, err
	}
	options, err := o.build.options()
	if err != nil {
		return nil, err
	}
	input, err := readFirmware(path)
	if err != nil {
		return nil, err
	}
	place, err := o.build.place(input, o.out)
	if err != nil {
		return nil, err
	}
	complete, pub, err := completer(ctx, a, o)
	if err != nil {
		return nil, err
	}
	if o.signer.name != "" {
		options.SignPlain = func(u *image.Unsigned) ([]byte, error) { return complete(ctx, u) }
	}
	u, err := image.Build(input.data, pub, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	warnBuilt(a, u, o.build, options)
	if o.vector.Is("payload") || o.vector.Is("digest") {
		return writeVector(a, u, path, o)
	}
	file, err := complete(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return writeImage(a, u, file, path, place, o.sigOut)
}
