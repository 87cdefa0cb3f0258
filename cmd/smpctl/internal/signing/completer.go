package signing

import (
	"context"
	"crypto"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
)

// completer gives what adds the missing part to an image: a signature, one from elsewhere, or nothing; and the public
// key.
func completer(ctx context.Context, a *app.App, o signOptions) (signer.Completer, crypto.PublicKey, error) {
	if o.signer.name != "" {
		return signer.Open(ctx, o.signer.options(a))
	}
	var pub crypto.PublicKey
	var err error
	if o.signer.publicKey != "" {
		if pub, err = trust.ReadPublicKey(o.signer.publicKey); err != nil {
			return nil, nil, err
		}
	}
	return func(_ context.Context, u *image.Unsigned) ([]byte, error) {
		if o.fixSig == "" {
			return u.Attach(nil)
		}
		sig, err := readSignature(o.fixSig)
		if err != nil {
			return nil, err
		}
		return u.Attach(sig)
	}, pub, nil
}

// readSignature reads a signature in any encoding.
func readSignature(path string) ([]byte, error) {
	const largest = 1 << 16 // bytes: far more than any encoding of a signature
	return files.ReadInput("signature", path, largest)
}
