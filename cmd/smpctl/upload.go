package main

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

type uploadOptions struct {
	image   int
	upgrade bool
	noErase bool
	window  int
	key     string
}

func imageUploadCommand(a *app) *cobra.Command {
	var o uploadOptions
	cmd := &cobra.Command{
		Use:   "upload <file>",
		Short: "Upload an image to the device",
		Long: `Upload an image to the slot that is not running. Done means that the device lists the image's hash afterwards.

An upload that was interrupted is taken up where the device stopped; an image that is already in the slot is not sent again.`,
		Example: "  smpctl -p sim: image upload app.signed.bin",
		Args:    cobra.ExactArgs(1),
		RunE:    a.run(func(ctx context.Context, args []string) (result, error) { return a.upload(ctx, args[0], o) }),
	}
	f := cmd.Flags()
	f.IntVarP(&o.image, "image", "n", 0, "`number` of the image")
	f.BoolVarP(&o.upgrade, "upgrade", "u", false, "only if the image is newer than the running one")
	f.BoolVarP(&o.noErase, "noerase", "e", false, "accepted for mcumgr-cli's scripts: nothing is erased that an upload does not replace")
	f.IntVarP(&o.window, "maxwinsize", "w", 0, "most requests in flight, as --window")
	f.StringVar(&o.key, "key", "", "refuse a file that was not signed by the private half of this public `key` (PEM)")
	return cmd
}

// uploadResult is the result of image upload.
type uploadResult struct {
	Image          int      `json:"image"`
	Bytes          int      `json:"bytes"`
	Seconds        float64  `json:"seconds"`
	BytesPerSecond int      `json:"bytes_per_second"`
	FileSHA256     string   `json:"file_sha256"`
	Hash           smp.Hash `json:"hash"`
	AlreadyPresent bool     `json:"already_present"`
	ResumedFrom    int      `json:"resumed_from"`
	Resent         int      `json:"resent"`
	Link           *settled `json:"link,omitempty"`
}

// settled is what suited the device, for people who wonder about the rate.
type settled struct {
	InFlight    int     `json:"in_flight"`
	PacketLimit int     `json:"packet_limit"`
	LineGap     float64 `json:"line_gap"`
	RoundTrip   float64 `json:"round_trip"`
	Lost        int     `json:"lost"`
}

// newSettled is nil if nothing was sent.
func newSettled(s smp.Settled) *settled {
	if s.InFlight == 0 {
		return nil
	}
	return &settled{s.InFlight, s.PacketLimit, s.LineGap.Seconds(), s.RoundTrip.Seconds(), s.Lost}
}

func (r uploadResult) Text(w io.Writer) error {
	if r.AlreadyPresent {
		_, err := fmt.Fprintf(w, "already on the device: %s\n", r.Hash)
		return err
	}
	took := time.Duration(r.Seconds * float64(time.Second))
	fmt.Fprintf(w, "uploaded %s in %s (%s)", size(r.Bytes), span(took), rate(r.Bytes-r.ResumedFrom, took))
	if r.ResumedFrom > 0 {
		fmt.Fprintf(w, ", taken up at %s", size(r.ResumedFrom))
	}
	_, err := fmt.Fprintf(w, "\nhash: %s\n", r.Hash)
	return err
}

func (a *app) upload(ctx context.Context, path string, o uploadOptions) (result, error) {
	if o.image < 0 || o.image > maxImage {
		return nil, usage("--image %d: want 0 to %d", o.image, maxImage)
	}
	if o.window != 0 && a.flags.window == 0 {
		a.flags.window = o.window
		if err := a.flags.check(); err != nil {
			return nil, err
		}
	}
	img, err := a.readChecked(path, o.key)
	if err != nil {
		return nil, err
	}
	d, err := a.device()
	if err != nil {
		return nil, err
	}
	defer d.close()
	v := &upgradeView{app: a, device: d, plain: true}
	targets := []dfu.Target{{Image: o.image, File: img}}
	report, err := dfu.Run(ctx, d.connect, targets, dfu.Options{Mode: dfu.UploadOnly, UpgradeOnly: o.upgrade, OnEvent: v.event})
	if errors.Is(err, smp.ErrInBootloader) {
		report, err = a.uploadInBootloader(ctx, v, targets, o)
	}
	v.close()
	if err != nil {
		return nil, err
	}
	return newUploadResult(img, o.image, report), nil
}

// maxImage is the highest image number that the protocol can name in every command.
const maxImage = 255

func newUploadResult(img *image.Image, number int, report dfu.Report) uploadResult {
	sum, up := img.FileHash(), report.Upload
	r := uploadResult{
		Image: number, Bytes: len(img.Bytes()), FileSHA256: hex.EncodeToString(sum[:]), Hash: img.Hash(),
		AlreadyPresent: up.AlreadyPresent || len(report.Plan) == 0, ResumedFrom: up.ResumedFrom, Resent: up.Resent, Link: newSettled(up.Settled),
	}
	for _, s := range report.Steps {
		r.Seconds += s.Seconds
	}
	if r.Seconds > 0 && !r.AlreadyPresent {
		r.BytesPerSecond = int(float64(r.Bytes-r.ResumedFrom) / r.Seconds)
	}
	return r
}

// readChecked reads an image file, checks its hash and, if a key is given, its signature: before the device hears of it.
func (a *app) readChecked(path, keyPath string) (*image.Image, error) {
	img, err := readImage(path)
	if err != nil {
		return nil, err
	}
	for _, text := range img.Warnings() {
		a.warn("%s: %s", path, text)
	}
	if err := img.CheckHash(); err != nil && !errors.Is(err, image.ErrEncrypted) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if keyPath == "" {
		return img, nil
	}
	key, err := readPublicKey(keyPath)
	if err != nil {
		return nil, err
	}
	if err := img.Verify(key); err != nil {
		return nil, fmt.Errorf("%s: with key %s: %w", path, keyPath, err)
	}
	return img, nil
}

// readPublicKey reads the public half of a signing key.
func readPublicKey(path string) (crypto.PublicKey, error) {
	const largest = 1 << 20 // far more than any key
	b, err := readFile(path, largest)
	if err != nil {
		return nil, usageError{fmt.Errorf("key: %w", err)}
	}
	key, err := image.ParsePublicKey(b)
	if err != nil {
		return nil, usageError{fmt.Errorf("key %s: %w", path, err)}
	}
	return key, nil
}
