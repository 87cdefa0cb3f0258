package main

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/smpctl/smpctl/image"
	"github.com/spf13/cobra"
)

type signAttachOptions struct {
	signature string
	out       string
	input     string
	publicKey string
}

func signAttachCommand(a *app) *cobra.Command {
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
		Args:    cobra.ExactArgs(1),
		RunE:    a.run(func(_ context.Context, args []string) (result, error) { return a.signAttach(args[0], o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.signature, "signature", "", "`file` with the signature, in any usual encoding")
	f.StringVarP(&o.out, "output", "o", "", "write the image to this `file`, as Intel HEX if it ends in .hex")
	f.StringVar(&o.input, "input", "", "the `file` that was prepared, if it is not where it was")
	f.StringVar(&o.publicKey, "public-key", "", "refuse a request for another public `key` (PEM)")
	_ = cmd.MarkFlagRequired("signature")
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

func (a *app) signAttach(request string, o signAttachOptions) (result, error) {
	sig, err := readSignature(o.signature)
	if err != nil {
		return nil, err
	}
	r, err := readRequest(request)
	if err != nil {
		return nil, err
	}
	if err := r.checkKey(o.publicKey); err != nil {
		return nil, fmt.Errorf("%s: %w", request, err)
	}
	input := o.input
	if input == "" {
		input = r.File.from(request)
	}
	if err := r.checkFiles(request, input); err != nil {
		return nil, err
	}
	u, to, err := a.rebuild(r, request, input, o.out)
	if err != nil {
		return nil, err
	}
	file, err := u.Attach(sig)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.signature, err)
	}
	return a.writeImage(u, file, input, to, "")
}

// checkKey compares the request's key with the one that the user insists on.
func (r signRequest) checkKey(path string) error {
	if path == "" {
		return nil
	}
	want, err := readPublicKey(path)
	if err != nil {
		return err
	}
	got, err := r.publicKey()
	if err != nil {
		return err
	}
	if !want.(interface{ Equal(crypto.PublicKey) bool }).Equal(got) {
		return asImage(fmt.Errorf("is a request for a signature by key %.8s…, not by that of %s", r.KeyHash, path))
	}
	return nil
}

// checkFiles makes sure that everything the image is made of still is as it was.
func (r signRequest) checkFiles(request, input string) error {
	if err := r.File.check(input); errors.Is(err, os.ErrNotExist) {
		return asImage(fmt.Errorf("%w: the request is for it; name it with --input if it is elsewhere", err))
	} else if err != nil {
		return err
	}
	for _, file := range r.Files {
		if err := file.check(file.from(request)); err != nil {
			return err
		}
	}
	return nil
}

// rebuild makes the image of a request again. It is the one that was prepared only if the digest says so.
func (a *app) rebuild(r signRequest, request, input, out string) (*image.Unsigned, place, error) {
	pub, err := r.publicKey()
	if err != nil {
		return nil, place{}, fmt.Errorf("%s: %w", request, err)
	}
	var b buildFlags
	if err := r.apply(newBuildFlags(&b), request); err != nil {
		return nil, place{}, err
	}
	u, at, err := a.unsignedFrom(input, &b, pub, r.Again)
	if err != nil {
		return nil, place{}, faultOf(request, err)
	}
	if hex.EncodeToString(u.Digest()) != r.Digest {
		return nil, place{}, asImage(fmt.Errorf("%s: %w", request, errOtherImage))
	}
	to, err := at(out)
	return u, to, err
}

// faultOf is an error about options that a request holds: the command line is right.
func faultOf(request string, err error) error {
	var wrong usageError
	if errors.As(err, &wrong) || errors.Is(err, image.ErrBadOption) {
		return asImage(fmt.Errorf("%s: %v", request, err))
	}
	return err
}

var errOtherImage = errors.New("its options make another image than the one that it asks a signature for: it was " +
	"edited, or is of another version of smpctl: prepare it again")
