package secret

import (
	"context"
	"crypto"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image/key"
)

// OpenKey opens a private key file.
func OpenKey(a *app.App, ctx context.Context, path, passphraseFile string) (crypto.Signer, error) {
	data, err := files.Read(path, trust.MaxKeyFile)
	if err != nil {
		return nil, failure.AsUsage(fmt.Errorf("key: %w", err))
	}
	signer, err := key.ParsePrivate(data, Passphrase(a, ctx, path, passphraseFile))
	if err != nil {
		return nil, trust.KeyError("key", path, err)
	}
	return signer, nil
}
