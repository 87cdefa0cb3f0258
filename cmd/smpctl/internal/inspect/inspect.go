package inspect

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/pack"
	"github.com/spf13/cobra"
)

func inspectCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:        "inspect <file>",
		SuggestFor: []string{"dumpinfo", "dump"},
		Short:      "Show everything in an image file or update package",
		Long: `Show everything in an image file, .bin or Intel HEX: header, entries, hash, signatures, trailer; of
an update package (dfu_application.zip, dfu_multi_image) the same for each image in it. No device is
needed.

The hash is computed and compared, also that of what a compressed image becomes; if it does not fit,
all is shown and the exit code is 6. Signatures are shown; smpctl verify verifies them.`,
		Example: "  smpctl inspect app.signed.bin\n  smpctl inspect app.signed.hex --json\n" +
			"  smpctl inspect dfu_application.zip",
		Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) { return inspect(ctx, a, args[0]) }),
	}
}

// inspection is the result of inspect.
type inspection struct {
	File            string                `json:"file"`
	Format          string                `json:"format"`                  // bin, or hex for Intel HEX
	Address         *uint32               `json:"address,omitempty"`       // of the first byte, in Intel HEX
	FileSize        int                   `json:"bytes"`                   // of the file as it is on disk
	ContentSize     *int                  `json:"content_bytes,omitempty"` // that Intel HEX stands for
	FileSHA256      string                `json:"file_sha256"`
	ImageSize       int                   `json:"image_bytes"` // up to the end of the last entry
	Header          headerEntry           `json:"header"`      // of the image
	Encrypted       bool                  `json:"encrypted"`
	Compressed      bool                  `json:"compressed"`
	Hash            string                `json:"hash"`
	HashType        string                `json:"hash_type"`
	HashCheck       string                `json:"hash_check"`                 // ok, mismatch, or encrypted: not checked
	Signatures      []view.SignatureEntry `json:"signatures"`                 // shown, not verified
	Dependencies    []dependencyEntry     `json:"dependencies"`               // other images that must be there
	SecurityCounter *uint32               `json:"security_counter,omitempty"` // against downgrades
	imageDetails
	TLVs     []tlvEntry         `json:"tlvs"`              // the entries behind the body
	Trailer  *imageTrailerEntry `json:"trailer,omitempty"` // what padding says of the next boot
	Warnings []string           `json:"warnings"`
}

// The values of hash_check.
const (
	hashFits        = "ok"
	hashDiffers     = "mismatch"
	hashUncheckable = "encrypted" // covers the plaintext
)

// headerEntry is the header of an image.
type headerEntry struct {
	Version       string   `json:"version"`
	HeaderSize    int      `json:"header_bytes"`    // in front of the body
	BodySize      int64    `json:"body_bytes"`      // of the firmware itself
	ProtectedSize int      `json:"protected_bytes"` // of the entries under the signature
	LoadAddress   uint32   `json:"load_address"`    // in RAM, or in flash with the flag ROM_FIXED; 0 for none
	Flags         []string `json:"flags"`           // MCUboot's names of those that are set
	FlagBits      uint32   `json:"flag_bits"`       // the same as a number
}

// dependencyEntry is another image that must be there.
type dependencyEntry struct {
	Image   int    `json:"image"`
	Minimum string `json:"minimum"` // lowest version that will do
}

// tlvEntry is an entry behind the body of an image.
type tlvEntry struct {
	Area   string `json:"area"`    // protected, that is under the signature, or unprotected
	Type   string `json:"type"`    // MCUboot's name, or the number
	TypeID int    `json:"type_id"` // number of the type
	Length int    `json:"bytes"`   // of the value
	Value  string `json:"value"`   // in hexadecimal digits
}

// imageTrailerEntry is the trailer of a padded image.
type imageTrailerEntry struct {
	Align     int  `json:"align_bytes"` // smallest write to flash
	Confirmed bool `json:"confirmed"`   // the image stays
}

func inspect(ctx context.Context, a *app.App, path string) (app.Result, error) {
	data, err := files.ReadImageFile(path)
	if err != nil {
		return nil, err
	}
	if pack.Is(data) {
		return inspectPackage(ctx, a, path, data)
	}
	return inspectImage(path, data)
}

func inspectImage(path string, data []byte) (app.Result, error) {
	img, err := files.LoadImage(path, data)
	if err != nil {
		return nil, err
	}
	r := newInspection(img)
	r.File, r.FileSize, r.FileSHA256 = path, len(data), files.SHA256(data)
	if !slices.Equal(data, img.Bytes()) {
		if flat, start, err := image.FromHex(data); err == nil {
			content := len(flat)
			r.Format, r.Address, r.ContentSize = "hex", &start, &content
		}
	}
	switch err := img.CheckHash(); {
	case err == nil:
		r.HashCheck = hashFits
	case errors.Is(err, image.ErrEncrypted):
		r.HashCheck = hashUncheckable
	default:
		r.HashCheck = hashDiffers
		return r, fmt.Errorf("%s: %w", path, err)
	}
	if r.HashCheck == hashFits {
		if err := r.checkDecompressed(img); err != nil {
			return r, fmt.Errorf("%s: %w", path, err)
		}
	}
	return r, nil
}

func newInspection(img *image.Image) inspection {
	r := inspection{
		Format: "bin", ImageSize: img.Size(),
		Header: newHeaderEntry(img.Header), Encrypted: img.Encrypted(), Compressed: img.Compressed(),
		Hash: hex.EncodeToString(img.Hash()), HashType: img.HashType().String(),
		Signatures: []view.SignatureEntry{}, Dependencies: []dependencyEntry{}, TLVs: []tlvEntry{},
		imageDetails: newImageDetails(img), Warnings: append([]string{}, img.Warnings()...),
	}
	for _, s := range img.Signatures() {
		r.Signatures = append(r.Signatures, view.NewSignatureEntry(s))
	}
	for _, d := range img.Dependencies() {
		r.Dependencies = append(r.Dependencies, dependencyEntry{int(d.Image), d.Minimum.String()})
	}
	if n, ok := img.SecurityCounter(); ok {
		r.SecurityCounter = &n
	}
	r.addTLVs("protected", img.Protected)
	r.addTLVs("unprotected", img.Unprotected)
	if t, ok := img.Trailer(); ok {
		r.Trailer = &imageTrailerEntry{t.Align, t.ImageOK}
	}
	return r
}

func newHeaderEntry(h image.Header) headerEntry {
	return headerEntry{
		Version: h.Version.String(), HeaderSize: int(h.HeaderSize), BodySize: int64(h.ImageSize),
		ProtectedSize: int(h.ProtectedSize),
		LoadAddress:   h.LoadAddr, Flags: append([]string{}, h.Flags.Names()...), FlagBits: uint32(h.Flags),
	}
}

func (r *inspection) addTLVs(area string, tlvs []image.TLV) {
	for _, t := range tlvs {
		r.TLVs = append(r.TLVs, tlvEntry{area, t.Type.String(), int(t.Type), len(t.Value), hex.EncodeToString(t.Value)})
	}
}
