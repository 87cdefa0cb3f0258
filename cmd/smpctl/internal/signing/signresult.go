package signing

import (
	"encoding/hex"
	"fmt"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// signResult is the result of sign.
type signResult struct {
	File       string               `json:"file"`
	Output     string               `json:"output"`
	Format     string               `json:"format"`            // bin, or hex for Intel HEX
	Address    *uint32              `json:"address,omitempty"` // of the header, in Intel HEX
	Version    string               `json:"version"`
	Hash       string               `json:"hash"`
	HashType   string               `json:"hash_type"`
	Signature  *view.SignatureEntry `json:"signature,omitempty"` // absent: the image carries its hash only
	Encrypted  bool                 `json:"encrypted"`
	Compressed bool                 `json:"compressed"`
	ImageSize  int                  `json:"image_bytes"`         // up to the end of the last entry
	FileSize   int                  `json:"bytes"`               // of the file that was written
	Confirmed  *bool                `json:"confirmed,omitempty"` // of a padded file: its trailer says that it stays
}

func newSignResult(u *image.Unsigned, m *image.Image, from string, to place, written int) signResult {
	r := signResult{
		File: from, Output: to.path, Format: "bin", Address: to.start, Version: m.Header.Version.String(),
		Hash: hex.EncodeToString(m.Hash()), HashType: m.HashType().String(),
		Encrypted: m.Encrypted(), Compressed: m.Compressed(), ImageSize: m.Size(), FileSize: written,
	}
	if to.start != nil {
		r.Format = "hex"
	}
	if t, padded := m.Trailer(); padded {
		r.Confirmed = &t.ImageOK
	}
	for _, s := range m.Signatures() {
		e := view.NewSignatureEntry(s)
		if hash, err := key.Hash(u.PublicKey(), u.HashType()); err == nil {
			e.KeyHash = hex.EncodeToString(hash) // also where the image has the key itself
		}
		r.Signature = &e
	}
	return r
}

func (r signResult) Text(w io.Writer) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("written", "%s, %d bytes%s", r.Output, r.FileSize, r.describePlace())
	line("version", "%s", r.Version)
	line("hash", "%s %s", r.HashType, r.Hash)
	if r.Signature == nil {
		line("signature", "none")
	} else {
		line("signature", "%s", r.Signature.Describe())
	}
	line("size", "%d bytes%s", r.ImageSize, r.describeBody())
	return nil
}

func (r signResult) describeBody() string {
	switch {
	case r.Encrypted && r.Compressed:
		return ", encrypted, compressed"
	case r.Encrypted:
		return ", encrypted"
	case r.Compressed:
		return ", compressed"
	}
	return ""
}

func (r signResult) describePlace() string {
	var text string
	if r.Address != nil {
		text = fmt.Sprintf(" of Intel HEX from address 0x%08x", *r.Address)
	}
	switch {
	case r.Confirmed == nil:
		return text
	case *r.Confirmed:
		return text + ", padded, confirmed"
	}
	return text + ", padded, for a trial"
}

// vectorResult is the result of sign --vector-to-sign.
type vectorResult struct {
	File     string `json:"file"`
	Output   string `json:"output"`
	Vector   string `json:"vector"` // what was written: payload or digest
	Bytes    int    `json:"bytes"`
	HashType string `json:"hash_type"`
	Hash     string `json:"hash"`
}

func (r vectorResult) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "written    %s, the %s to sign, %d bytes\nhash       %s %s\n",
		r.Output, r.Vector, r.Bytes, r.HashType, r.Hash)
	return err
}
