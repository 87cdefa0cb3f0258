package signing

import (
	"cmp"
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/spf13/cobra"
)

type signAttachOptions struct {
	signature string
	out       string
	input     string
	publicKey string
}

func signAttachCommand(a *app.App) *cobra.Command {
	var o signAttachOptions
	cmd := &cobra.Command{
		Use:   "attach <request> --signature <sig> -o <out>",
		Short: "Make the image of a request and the signature that came back",
		Long: `Make the image that smpctl sign prepare wrote a request for, with the signature that came back. The
image is built again from the firmware file that the request names, which must not have changed, and
the signature verified before OUT is written.

The signature may be binary, base64, base64url, hex or PEM, with Vault's prefix, ECDSA as DER or
r‖s.`,
		Example: "  smpctl sign attach app.request.json --signature sig.bin -o app.signed.bin",
		Args:    app.Takes(1, 1),
		RunE:    a.Run(func(_ context.Context, args []string) (app.Result, error) { return signAttach(a, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.signature, "signature", "", "`file` with the signature, in any usual encoding")
	f.StringVarP(&o.out, "output", "o", "", "write the image to this `file`: Intel HEX if it ends in .hex")
	f.StringVar(&o.input, "input", "", "`file` that was prepared, if it is not where it was")
	f.StringVar(&o.publicKey, "public-key", "", "refuse a request for another public `key` (PEM)")
	app.Require(cmd, "signature", "output")
	return cmd
}

func signAttach(a *app.App, request string, o signAttachOptions) (app.Result, error) {
	sig, err := readSignature(o.signature)
	if err != nil {
		return nil, err
	}
	r, err := signer.ReadRequest(request)
	if err != nil {
		return nil, err
	}
	if err := o.keepInputs(r, request); err != nil {
		return nil, err
	}
	if err := checkKey(r, o.publicKey); err != nil {
		return nil, fmt.Errorf("%s: %w", request, err)
	}
	input := cmp.Or(o.input, r.File.From(request))
	if err := checkFiles(r, request, input); err != nil {
		return nil, err
	}
	u, to, err := rebuild(a, r, request, input, o.out)
	if err != nil {
		return nil, err
	}
	file, err := u.Attach(sig)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.signature, err)
	}
	return writeImage(a, u, file, input, to, "")
}

// keepInputs refuses an output that would take the place of what the image is made of.
func (o signAttachOptions) keepInputs(r signer.Request, request string) error {
	inputs := []string{request, o.signature, o.publicKey, o.input, r.File.From(request)}
	for _, file := range r.Files {
		inputs = append(inputs, file.From(request))
	}
	return files.Apart([]string{o.out}, inputs)
}

// checkKey compares the request's key with the one that the user insists on.
func checkKey(r signer.Request, path string) error {
	if path == "" {
		return nil
	}
	want, err := trust.ReadPublicKey(path)
	if err != nil {
		return err
	}
	got, err := r.SigningKey()
	if err != nil {
		return err
	}
	if !want.(interface{ Equal(crypto.PublicKey) bool }).Equal(got) {
		return failure.AsImage(fmt.Errorf("is a request for a signature by key %.8s…, not by that of %s",
			r.KeyHash, path))
	}
	return nil
}

// checkFiles makes sure that everything the image is made of still is as it was.
func checkFiles(r signer.Request, request, input string) error {
	if err := r.File.Check(input); errors.Is(err, os.ErrNotExist) {
		return failure.AsImage(fmt.Errorf("%w: the request is for it; name it with --input if it is elsewhere", err))
	} else if err != nil {
		return err
	}
	for _, file := range r.Files {
		if err := file.Check(file.From(request)); err != nil {
			return err
		}
	}
	return nil
}

// rebuild makes the image of a request again. It is the one that was prepared only if the digest says so.
func rebuild(a *app.App, r signer.Request, request, input, out string) (*image.Unsigned, place, error) {
	pub, err := r.SigningKey()
	if err != nil {
		return nil, place{}, fmt.Errorf("%s: %w", request, err)
	}
	var b buildFlags
	if err := applyOptions(r, newBuildFlags(&b), request); err != nil {
		return nil, place{}, err
	}
	u, at, err := unsignedFrom(a, input, &b, pub, r.Again)
	if err != nil {
		return nil, place{}, faultOf(request, err)
	}
	if hex.EncodeToString(u.Digest()) != r.Digest {
		return nil, place{}, failure.AsImage(fmt.Errorf("%s: %w", request, errOtherImage))
	}
	to, err := at(out)
	return u, to, err
}

// faultOf is an error about options that a request holds: the command line is right.
func faultOf(request string, err error) error {
	var wrong failure.UsageError
	if errors.As(err, &wrong) || errors.Is(err, image.ErrBadOption) {
		return failure.AsImage(fmt.Errorf("%s: %v", request, err))
	}
	return err
}

var errOtherImage = errors.New("its options make another image than the one that it asks a signature for: it was " +
	"edited, or is of another version of smpctl: prepare it again")
