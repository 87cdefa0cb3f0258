package signing

import (
	"crypto"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
)

// unsignedFrom makes an image up to its signature: of a firmware file, or of an image that is signed again.
func unsignedFrom(a *app.App, path string, b *buildFlags, pub crypto.PublicKey, isImage bool) (*image.Unsigned, placer,
	error) {
	if isImage {
		return again(path, pub, b.signOptions())
	}
	return unsigned(a, path, b, pub)
}

// placer says where an image goes that is written to a file of the given name.
type placer func(out string) (place, error)

// unsigned makes the image of a firmware file up to its signature.
func unsigned(a *app.App, path string, b *buildFlags, pub crypto.PublicKey) (*image.Unsigned, placer, error) {
	options, err := b.options()
	if err != nil {
		return nil, nil, err
	}
	input, err := readFirmware(path)
	if err != nil {
		return nil, nil, err
	}
	u, err := image.Build(input.data, pub, options)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	warnBuilt(a, u, *b, options)
	return u, func(out string) (place, error) { return b.place(input, out) }, nil
}

// again reads an image for a new signature.
func again(path string, pub crypto.PublicKey, o image.SignOptions) (*image.Unsigned, placer, error) {
	data, err := files.ReadImageFile(path)
	if err != nil {
		return nil, nil, err
	}
	img, err := files.LoadImage(path, data)
	if err != nil {
		return nil, nil, err
	}
	u, err := image.Resign(img, pub, o)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return u, func(out string) (place, error) {
		if !isHexName(out) {
			return place{path: out}, nil
		}
		_, start, err := image.FromHex(data)
		if err != nil {
			return place{}, failure.Usage("%s: a binary has no address: write a .bin", out)
		}
		return place{out, &start}, nil
	}, nil
}
