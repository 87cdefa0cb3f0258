package signing

import (
	"context"
	"crypto"
	"encoding/hex"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/cobra"
)

func keyPublicCommand(a *app.App) *cobra.Command {
	var e export
	cmd := &cobra.Command{
		Use:        "public <file>",
		SuggestFor: []string{"getpub", "pub"},
		Short:      "Print the public half of a key",
		Long: `Print the public half of a key, private or public: as C or Rust source for a bootloader, as PEM, or
as the raw bytes that the bootloader compares.

The bytes are those of imgtool getpub; raw is PKCS#1 for RSA, SubjectPublicKeyInfo for others.`,
		Example: `  smpctl key public key.pem -e pem -o key.pub.pem
  smpctl key public key.pub.pem --name-suffix _2 -o second_key.c`,
		Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return keyPublic(ctx, a, args[0], e)
		}),
	}
	e.register(cmd.Flags(), "lang-c", "lang-rust", "pem", "raw")
	return cmd
}

// publicKeyResult is the result of key public.
type publicKeyResult struct {
	exported
	Hex string `json:"hex"` // the bytes of the encoding raw, in hexadecimal digits
}

func keyPublic(ctx context.Context, a *app.App, path string, e export) (app.Result, error) {
	if err := e.check(a, path); err != nil {
		return nil, err
	}
	pub, err := readPublicHalf(ctx, a, path, e.passphraseFile)
	if err != nil {
		return nil, err
	}
	raw, err := key.PublicBytes(pub)
	if err != nil {
		return nil, err
	}
	data, err := encodePublic(pub, e)
	if err != nil {
		return nil, err
	}
	r, err := e.finish(path, pub, data)
	if err != nil {
		return nil, err
	}
	return publicKeyResult{r, hex.EncodeToString(raw)}, nil
}

func encodePublic(pub crypto.PublicKey, e export) ([]byte, error) {
	switch e.encoding.String() {
	case "lang-rust":
		return key.PublicRust(pub, e.suffix)
	case "pem":
		return key.PublicPEM(pub)
	case "raw":
		return key.PublicBytes(pub)
	}
	return key.PublicC(pub, e.suffix)
}

func keyHashCommand(a *app.App) *cobra.Command {
	var e export
	var sha app.Choice
	cmd := &cobra.Command{
		Use:        "hash <file>",
		SuggestFor: []string{"getpubhash"},
		Short:      "Print the hash of a public key",
		Long: `Print the hash of the public half of a key, private or public: as C source, as raw bytes, or in
hexadecimal. The bytes are those of imgtool getpubhash.

An image names its key by this hash, made with the hash of the image: 256 for most, 384 with ECDSA
P-384, 512 with Ed25519 if asked for.`,
		Example: `  smpctl key hash key.pub.pem -e hex
  smpctl key hash p384.pub.pem -e hex --sha 384`,
		Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return keyHash(ctx, a, args[0], sha, e)
		}),
	}
	f := cmd.Flags()
	e.register(f, "lang-c", "raw", "hex")
	sha = app.NewChoice(f, "sha", "", "hash of images: 256, 384 or 512", "256", "384", "512")
	return cmd
}

// keyHashResult is the result of key hash.
type keyHashResult struct {
	exported
	HashType string `json:"hash_type"`
	KeyHash  string `json:"key_hash"`
}

func keyHash(ctx context.Context, a *app.App, path string, sha app.Choice, e export) (app.Result, error) {
	if err := e.check(a, path); err != nil {
		return nil, err
	}
	pub, err := readPublicHalf(ctx, a, path, e.passphraseFile)
	if err != nil {
		return nil, err
	}
	typ := hashTypes[sha.String()]
	sum, err := key.Hash(pub, typ)
	if err != nil {
		return nil, err
	}
	data := sum
	switch e.encoding.String() {
	case "lang-c":
		if data, err = key.HashC(pub, typ, e.suffix); err != nil {
			return nil, err
		}
	case "hex":
		data = []byte(hex.EncodeToString(sum) + "\n")
	}
	r, err := e.finish(path, pub, data)
	if err != nil {
		return nil, err
	}
	if r.KeyType == "ECDSA P-384" && typ != image.TLVSHA384 {
		a.Warn("images signed with an %s key name it by another hash: --sha 384", r.KeyType)
	}
	return keyHashResult{r, typ.String(), hex.EncodeToString(sum)}, nil
}
