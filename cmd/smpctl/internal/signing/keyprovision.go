package signing

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/cobra"
)

type provisionOptions struct {
	out            string
	soc            string
	name           app.Choice
	policy         app.Choice
	passphraseFile string
}

func keyProvisionCommand(a *app.App) *cobra.Command {
	var o provisionOptions
	cmd := &cobra.Command{
		Use:   "provision <file>... -o <keyfile.json>",
		Short: "Make the file that provisions public keys into a Nordic SoC",
		Long: `Make the file that provisions Ed25519 public keys into the key store of an nRF54 SoC, for nrfutil
device x-provision-keys. Public keys are enough.

The bootloader's configuration says under which name it looks: a key in the wrong place shows as "no
valid image". A revokable key can be revoked once another is there. A locked one stays for good:
nothing but an erase of the whole chip removes it. west ncs-provision locks the last one unless told
otherwise; here that is --policy lock-last. An output file that exists is added to.`,
		Example: `  smpctl key provision key.pub.pem next.pub.pem -o keyfile.json --keyname BL_PUBKEY
  smpctl key provision key.pub.pem -o keyfile.json --soc nrf54lm20a --policy lock`,
		Args: app.Takes(1, -1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return keyProvision(ctx, a, args, o)
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write to this `file`, or add to it")
	f.StringVar(&o.soc, "soc", "nrf54l15",
		"chip: nrf54l05, nrf54l10, nrf54l15, nrf54lm20a, nrf54lm20b, nrf54lv10a or nrf54h20")
	o.name = app.NewChoice(f, "keyname", "", "place of the keys: UROT_PUBKEY, BL_PUBKEY or APP_PUBKEY",
		"UROT_PUBKEY", "BL_PUBKEY", "APP_PUBKEY")
	o.policy = app.NewChoice(f, "policy", "", "what may become of the keys: revokable, lock or lock-last",
		"revokable", "lock", "lock-last")
	f.StringVar(&o.passphraseFile, secret.FileFlag, "", secret.FileFlagUsage)
	app.Require(cmd, "output")
	return cmd
}

// provisionResult is the result of key provision.
type provisionResult struct {
	Output  string           `json:"output"`
	SoC     string           `json:"soc"`      // name of the chip
	KeyName string           `json:"key_name"` // the place in the key store
	Policy  string           `json:"policy"`   // whether the keys can be revoked
	Added   bool             `json:"added"`    // to a file that was there
	Keys    []provisionedKey `json:"keys"`     // in the order of their places
}

// provisionedKey is a public key in a provisioning file.
type provisionedKey struct {
	File    string `json:"file"`
	KeyHash string `json:"key_hash"`
}

func keyProvision(ctx context.Context, a *app.App, paths []string, o provisionOptions) (app.Result, error) {
	store, err := key.NewStore(o.soc, o.name.String(), o.policy.String())
	if err != nil {
		return nil, err
	}
	if err := files.Apart([]string{o.out}, append([]string{o.passphraseFile}, paths...)); err != nil {
		return nil, err
	}
	r := provisionResult{Output: o.out, SoC: o.soc, KeyName: o.name.String(), Policy: o.policy.String()}
	var keys []crypto.PublicKey
	for _, path := range paths {
		pub, err := readPublicHalf(ctx, a, path, o.passphraseFile)
		if err != nil {
			return nil, err
		}
		sum, err := key.Hash(pub, image.TLVSHA256)
		if err != nil {
			return nil, err
		}
		keys = append(keys, pub)
		r.Keys = append(r.Keys, provisionedKey{path, hex.EncodeToString(sum)})
	}
	old, err := files.ReadInput("--output", o.out, trust.MaxKeyFile)
	switch {
	case err == nil:
		r.Added = true
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	text, err := store.Provision(old, keys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.out, err)
	}
	if err := files.Write(o.out, text, files.Options{}); err != nil {
		return nil, err
	}
	if !o.policy.Is("revokable") {
		a.Warn("--policy %s: a locked key can neither be revoked nor replaced, but by an erase of the whole chip",
			o.policy)
	}
	return r, nil
}

// Text prints what went where.
func (r provisionResult) Text(w io.Writer) error {
	verb := "written"
	if r.Added {
		verb = "added to"
	}
	fmt.Fprintf(w, "%-10s %s\n", verb, r.Output)
	for i, k := range r.Keys {
		fmt.Fprintf(w, "key %d      %s of %s, %s: %s, key hash %s\n",
			i+1, r.KeyName, r.SoC, r.Policy, k.File, k.KeyHash)
	}
	_, err := fmt.Fprintf(w, "next       nrfutil device x-provision-keys --key-file %s, on an erased chip\n", r.Output)
	return err
}
