package inspect

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/cobra"
)

type verifyOptions struct {
	keys    []string
	decrypt string

	passphraseFile string
}

func verifyCommand(a *app.App) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:        "verify <file> --key <pub.pem>",
		SuggestFor: []string{"check"},
		Short:      "Check that an image is whole and signed by a key",
		Long: `Check that an image, .bin or Intel HEX, is whole and signed by the private half of a key, as the
bootloader does. No device is needed.

The exit code is 0 only if hash and signature both hold, and 6 with the reason if not. With several
--key, each must have signed. A compressed image is decompressed, and what it becomes is checked
too. An encrypted one needs the device's key: hash and signature cover the plaintext.`,
		Example: `  smpctl verify app.signed.bin --key app.pub.pem
  smpctl verify app.encrypted.bin --key app.pub.pem --decrypt device.pem`,
		Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) { return verify(ctx, a, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.keys, "key", nil, "public `key` (PEM) that must have signed; of several, each")
	f.StringVar(&o.decrypt, "decrypt", "",
		"decrypt with this `key` of the device: private (PEM), or for AES key wrap (base64)")
	f.StringVar(&o.passphraseFile, secret.FileFlag, "", secret.FileFlagUsage)
	return cmd
}

// verification is the result of verify.
type verification struct {
	File       string     `json:"file"`
	Verified   bool       `json:"verified"` // hash and all signatures hold
	Version    string     `json:"version"`
	Hash       string     `json:"hash"`
	HashType   string     `json:"hash_type"`
	Encrypted  bool       `json:"encrypted"`
	Decrypted  bool       `json:"decrypted"` // --decrypt opened it
	Compressed bool       `json:"compressed"`
	Keys       []keyCheck `json:"keys"` // each key that was asked for
}

// keyCheck is what verify says of one key.
type keyCheck struct {
	Key      string       `json:"key"` // path of the public key, as it was given
	KeyHash  string       `json:"key_hash"`
	Verified bool         `json:"verified"`        // the image is signed by it
	Error    *app.Failure `json:"error,omitempty"` // why not

	reason string // the same in short
}

func verify(ctx context.Context, a *app.App, path string, o verifyOptions) (app.Result, error) {
	if len(o.keys) == 0 {
		return nil, failure.Usage("--key is missing; smpctl inspect %s checks the hash alone", path)
	}
	keys, err := readPublicKeys(o.keys)
	if err != nil {
		return nil, err
	}
	open, err := readDecryptionKey(ctx, a, o.decrypt, o.passphraseFile)
	if err != nil {
		return nil, err
	}
	img, err := files.ReadImage(path)
	if err != nil {
		return nil, err
	}
	r := verification{
		File: path, Version: img.Header.Version.String(), Hash: hex.EncodeToString(img.Hash()),
		HashType:  img.HashType().String(),
		Encrypted: img.Encrypted(), Decrypted: open != nil, Compressed: img.Compressed(),
	}
	if open != nil {
		if img, err = img.Decrypt(open); err != nil {
			return nil, fmt.Errorf("%s: with key %s: %w", path, o.decrypt, err)
		}
	}
	for _, text := range img.Warnings() {
		a.Warn("%s: %s", path, text)
	}
	return r.check(ctx, a, img, keys, o.keys)
}

// check verifies the image with each key.
func (r verification) check(ctx context.Context, a *app.App, img *image.Image, keys []crypto.PublicKey,
	names []string) (app.Result, error) {
	var first error
	for i, pub := range keys {
		hash, err := key.Hash(pub, img.HashType())
		if err != nil {
			return nil, err
		}
		c := keyCheck{Key: names[i], KeyHash: hex.EncodeToString(hash)}
		err = img.Verify(pub)
		c.Verified = err == nil
		if err != nil {
			f := a.Failure(ctx, err)
			c.Error, c.reason = &f, f.Message
		}
		if refusal := (*image.Error)(nil); errors.As(err, &refusal) {
			c.reason = refusal.Detail
		}
		if err != nil && first == nil {
			first = fmt.Errorf("%s: with key %s: %w", r.File, names[i], err)
		}
		r.Keys = append(r.Keys, c)
	}
	r.Verified = first == nil
	return r, first
}

// Text prints the verdict for people.
func (r verification) Text(w io.Writer) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("file", "%s%s", r.File, r.describeBody())
	line("version", "%s", r.Version)
	line("hash", "%s %s", r.HashType, r.Hash)
	for _, c := range r.Keys {
		verdict := "signed"
		if !c.Verified {
			verdict = "NOT VERIFIED: " + c.reason
		}
		line("key", "%s %s: %s", c.Key, c.KeyHash[:8], verdict)
	}
	if r.Verified {
		line("verified", "hash and signature hold")
	}
	return nil
}

func (r verification) describeBody() string {
	var text string
	if r.Encrypted {
		text = ", encrypted"
	}
	if r.Compressed {
		text += ", compressed"
	}
	return text
}

func readPublicKeys(paths []string) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for _, path := range paths {
		key, err := trust.ReadPublicKey(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// readDecryptionKey reads the key of a device that opens encrypted images. It is nil without a path.
func readDecryptionKey(ctx context.Context, a *app.App, path, passphraseFile string) (crypto.PrivateKey, error) {
	if path == "" {
		return nil, nil
	}
	data, err := files.ReadInput("key", path, trust.MaxKeyFile)
	if err != nil {
		return nil, err
	}
	if kek := wrapKey(data); kek != nil {
		return kek, nil
	}
	secrets := secret.Source{File: passphraseFile, Env: a.Env, Spawn: a.Spawn}
	private, err := key.ParseDecryption(data, secrets.Passphrase(ctx, path))
	if err != nil {
		return nil, trust.KeyError("key", path, err)
	}
	return private, nil
}

// wrapKey reads a key for AES key wrap: 16 or 32 bytes, in base64 as MCUboot keeps its sample key, or as they are. It
// is nil for other files.
func wrapKey(data []byte) []byte {
	if n := len(data); n == 16 || n == 32 {
		return data
	}
	key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data)))
	if n := len(key); err != nil || n != 16 && n != 32 {
		return nil
	}
	return key
}
