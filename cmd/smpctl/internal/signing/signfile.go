package signing

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
)

// place says where an image goes.
type place struct {
	path  string
	start *uint32 // address of the header, in Intel HEX
}

// place finds the address of an Intel HEX output by imgtool's rules: that of the input, less the header that is put in
// front of it unless it is 0, or what --hex-addr says.
func (b *buildFlags) place(input firmware, out string) (place, error) {
	p := place{path: out}
	if !isHexName(out) {
		return p, nil
	}
	switch {
	case b.hexAddr.Given:
		p.start = &b.hexAddr.Value
	case input.start == nil:
		return p, failure.Usage("%s: a binary has no address: add --hex-addr", out)
	case !b.padHeader || *input.start == 0:
		p.start = input.start
	case *input.start < b.headerSize.Value:
		return p, failure.Usage("%s: the firmware at %#x leaves no room for a header of %d bytes before it: "+
			"add --hex-addr", out, *input.start, b.headerSize.Value)
	default:
		start := *input.start - b.headerSize.Value
		p.start = &start
	}
	return p, nil
}

// writeImage writes a finished image and tells what it is.
func writeImage(a *app.App, u *image.Unsigned, file []byte, from string, to place, sigOut string) (app.Result, error) {
	m, err := image.Load(file)
	if err != nil {
		return nil, err
	}
	text := file
	if to.start != nil {
		if text, err = u.Hex(file, *to.start); err != nil {
			return nil, err
		}
	}
	if err := files.Write(to.path, text, files.Options{}); err != nil {
		return nil, err
	}
	if sigOut != "" {
		sig := base64.StdEncoding.EncodeToString(m.Signatures()[0].Value)
		if err := files.Write(sigOut, []byte(sig), files.Options{}); err != nil {
			return nil, err
		}
	}
	warnSigned(a, m)
	return newSignResult(u, m, from, to, len(text)), nil
}

// warnBuilt says what the options did not do.
func warnBuilt(a *app.App, u *image.Unsigned, b buildFlags, o image.BuildOptions) {
	if o.Compression != image.NoCompression && u.Header().Flags&image.FlagCompressedLZMA2 == 0 {
		a.Warn("compression does not make the image smaller, so it is stored as it is")
	}
	if b.clear && o.Encrypt == nil {
		a.Warn("--clear has no meaning without --encrypt")
	}
	if o.MaxAlign != 0 && o.Align > o.MaxAlign {
		a.Warn("--max-align %d is below --align %d: a bootloader with such writes looks elsewhere for the trailer",
			o.MaxAlign, o.Align)
	}
}

// warnSigned says what a bootloader or an attacker would make of the image.
func warnSigned(a *app.App, m *image.Image) {
	if len(m.Signatures()) == 0 {
		a.Warn("the image is not signed: it carries its hash only, and bootloaders that check signatures refuse it")
	}
	if _, padded := m.Trailer(); padded { // as asked for
		plain, err := image.Parse(m.Plain())
		if err != nil {
			return
		}
		m = plain
	}
	for _, text := range m.Warnings() {
		a.Warn("%s", text)
	}
}

// writeVector writes what an outside signer has to sign.
func writeVector(a *app.App, u *image.Unsigned, from string, o signOptions) (app.Result, error) {
	data := u.Payload()
	if o.vector.Is("digest") {
		data = u.Digest()
		if u.Pure() {
			return nil, failure.Usage("--vector-to-sign digest: a pure signature covers the payload")
		}
	}
	if err := files.Write(o.out, data, files.Options{}); err != nil {
		return nil, err
	}
	if u.PublicKey() == nil {
		a.Warn("without --public-key the hash may not be the one that goes with the key")
	}
	return vectorResult{from, o.out, o.vector.String(), len(data), u.HashType().String(),
		hex.EncodeToString(u.Digest())}, nil
}
