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
		Use:   "inspect <file>",
		Short: "Show everything in an image file or update package, and whether it is whole",
		Long: `Show everything in an image file, .bin or Intel HEX: header, entries, hash, signatures, trailer; of
an update package (dfu_application.zip, dfu_multi_image) the same for each image in it. No device is
needed.

The hash is computed and compared, also that of what a compressed image becomes; if it does not fit,
all is shown and the exit code is 6. Signatures are shown; smpctl verify verifies them.`,
		Example: "  smpctl inspect app.signed.bin\n  smpctl inspect app.signed.hex --json\n" +
			"  smpctl inspect dfu_application.zip",
		Args: cobra.ExactArgs(1),
		RunE: a.Run(func(_ context.Context, args []string) (app.Result, error) { return inspect(args[0]) }),
	}
}

// inspection is the result of inspect.
type inspection struct {
	File            string                `json:"file"`
	Format          string                `json:"format"`
	Address         *uint32               `json:"address,omitempty"` // of the first byte, in Intel HEX
	FileSize        int                   `json:"file_size"`         // bytes; of Intel HEX those that it stands for
	FileSHA256      string                `json:"file_sha256"`
	ImageSize       int                   `json:"image_size"` // bytes up to the end of the last entry
	Header          headerEntry           `json:"header"`
	Encrypted       bool                  `json:"encrypted"`
	Compressed      bool                  `json:"compressed"`
	Hash            string                `json:"hash"`
	HashType        string                `json:"hash_type"`
	HashCheck       string                `json:"hash_check"`
	Signatures      []view.SignatureEntry `json:"signatures"`
	Dependencies    []dependencyEntry     `json:"dependencies"`
	SecurityCounter *uint32               `json:"security_counter,omitempty"`
	imageDetails
	TLVs     []tlvEntry         `json:"tlvs"`
	Trailer  *imageTrailerEntry `json:"trailer,omitempty"`
	Warnings []string           `json:"warnings"`
}

// The values of hash_check.
const (
	hashFits        = "ok"
	hashDiffers     = "mismatch"
	hashUncheckable = "encrypted" // covers the plaintext
)

type headerEntry struct {
	Version       string   `json:"version"`
	HeaderSize    int      `json:"header_size"`
	BodySize      int64    `json:"body_size"`
	ProtectedSize int      `json:"protected_size"`
	LoadAddress   uint32   `json:"load_address"`
	Flags         []string `json:"flags"`
	FlagBits      uint32   `json:"flag_bits"`
}

type dependencyEntry struct {
	Image   int    `json:"image"`
	Minimum string `json:"minimum"`
}

type tlvEntry struct {
	Area   string `json:"area"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
	Length int    `json:"length"`
	Value  string `json:"value"`
}

type imageTrailerEntry struct {
	Align     int  `json:"align"`
	Confirmed bool `json:"confirmed"`
}

func inspect(path string) (app.Result, error) {
	data, err := files.ReadImageFile(path)
	if err != nil {
		return nil, err
	}
	if pack.Is(data) {
		return inspectPackage(path, data)
	}
	return inspectImage(path, data)
}

func inspectImage(path string, data []byte) (app.Result, error) {
	img, err := files.LoadImage(path, data)
	if err != nil {
		return nil, err
	}
	r := newInspection(img)
	r.File = path
	if !slices.Equal(data, img.Bytes()) {
		if _, start, err := image.FromHex(data); err == nil {
			r.Format, r.Address = "hex", &start
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
	sum := img.FileHash()
	r := inspection{
		Format: "bin", FileSize: len(img.Bytes()), FileSHA256: hex.EncodeToString(sum[:]), ImageSize: img.Size(),
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
