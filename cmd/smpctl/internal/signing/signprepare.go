package signing

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type signPrepareOptions struct {
	build     buildFlags
	again     bool
	publicKey string
	out       string
	payload   string
	given     *pflag.FlagSet
}

func signPrepareCommand(a *app.App) *cobra.Command {
	var o signPrepareOptions
	cmd := &cobra.Command{
		Use:   "prepare <file> -o <request>",
		Short: "Write down what has to be signed, for a vault elsewhere",
		Long: `Make everything of an image but its signature, and write a request: a small JSON file with the
digest, the algorithm in words, the public key and all options. Whoever holds the key signs the
digest, or the file of --payload; smpctl sign attach makes the image of request and signature.

The options are those of sign; with --again, the file is an image whose signature is to be replaced,
as sign again does. The file is not in the request: it has to be there again, unchanged, for sign
attach.`,
		Example: "  smpctl sign prepare zephyr.bin -o app.request.json --public-key release.pub.pem " +
			"-v 1.2.3 -H 0x200 --pad-header -S 0xe8000",
		Args: app.Takes(1, 1),
		RunE: a.Run(func(_ context.Context, args []string) (app.Result, error) { return signPrepare(a, args[0], o) }),
	}
	f := cmd.Flags()
	o.given = f
	f.BoolVar(&o.again, "again", false, "the file is an image, and gets a new signature")
	f.StringVar(&o.publicKey, "public-key", "", "public `key` (PEM) that the signature must be by")
	f.StringVarP(&o.out, "output", "o", "", "write the request to this `file`")
	f.StringVar(&o.payload, "payload", "",
		"write the bytes under the digest to this `file`, for signers that hash themselves")
	o.build.register(f)
	app.Require(cmd, "public-key", "output") // and requiredToBuild, but not with --again
	return cmd
}

func signPrepare(a *app.App, path string, o signPrepareOptions) (app.Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	inputs := append(o.build.files(), path, o.publicKey)
	if err := files.Apart([]string{o.out, o.payload}, inputs); err != nil {
		return nil, err
	}
	pub, err := trust.ReadPublicKey(o.publicKey)
	if err != nil {
		return nil, err
	}
	u, _, err := unsignedFrom(a, path, &o.build, pub, o.again)
	if err != nil {
		return nil, err
	}
	r, err := signer.NewRequest(u)
	if err != nil {
		return nil, err
	}
	r.Again = o.again
	if r.File, err = signer.RecordFile(path, o.out); err != nil {
		return nil, err
	}
	if err := recordOptions(&r, o.given, newBuildFlags(new(buildFlags)), o.out); err != nil {
		return nil, err
	}
	return o.write(path, r, u)
}

// requiredToBuild are the flags without which no image is built.
var requiredToBuild = []string{"version", "header-size", "slot-size"}

func (o signPrepareOptions) check() error {
	if o.build.pure && o.payload == "" {
		return failure.Usage("--payload is missing: a pure signature covers the payload, which is not in the request")
	}
	if !o.again {
		for _, name := range requiredToBuild {
			if !o.given.Changed(name) {
				return failure.Usage("--%s is missing", name)
			}
		}
		return nil
	}
	var b buildFlags
	building := newBuildFlags(&b)
	signing := pflag.NewFlagSet("", pflag.ContinueOnError)
	b.registerSignature(signing)
	var err error
	o.given.Visit(func(f *pflag.Flag) {
		if building.Lookup(f.Name) != nil && signing.Lookup(f.Name) == nil {
			err = failure.Usage("--%s: is under the signature, and stays as it is with --again", f.Name)
		}
	})
	return err
}

// write writes the files of a request.
func (o signPrepareOptions) write(path string, r signer.Request, u *image.Unsigned) (app.Result, error) {
	if o.payload != "" {
		if err := files.Write(o.payload, u.Payload(), files.Options{}); err != nil {
			return nil, err
		}
	}
	if err := r.Write(o.out); err != nil {
		return nil, err
	}
	return prepareResult{path, o.out, o.payload, r.Sign, r.Algorithm, r.Input, strings.ToUpper(r.Hash), r.Digest,
		r.KeyHash, r.Version}, nil
}

// prepareResult is the result of sign prepare.
type prepareResult struct {
	File      string       `json:"file"`
	Request   string       `json:"request"`           // path of the request
	Payload   string       `json:"payload,omitempty"` // path of the bytes under the digest
	Sign      string       `json:"sign"`              // what the owner of the key has to do, for people
	Algorithm string       `json:"algorithm"`         // of the signature
	Input     signer.Input `json:"input"`             // what is signed
	HashType  string       `json:"hash_type"`         // which hash the digest is
	Digest    string       `json:"digest"`            // of the payload, in hexadecimal digits
	KeyHash   string       `json:"key_hash"`
	Version   string       `json:"version"`
}

func (r prepareResult) Text(w io.Writer) error {
	fmt.Fprintf(w, "request    %s\n", r.Request)
	if r.Payload != "" {
		fmt.Fprintf(w, "payload    %s\n", r.Payload)
	}
	fmt.Fprintf(w, "version    %s\nkey        %.8s\ndigest     %s %s\nto do      %s\n",
		r.Version, r.KeyHash, strings.ToLower(r.HashType), r.Digest, r.Sign)
	_, err := fmt.Fprintf(w, "then       smpctl sign attach %s --signature SIG -o OUT\n", filepath.Base(r.Request))
	return err
}
