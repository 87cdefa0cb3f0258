package inspect

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/pack"
	"github.com/spf13/cobra"
)

type packageBuildOptions struct {
	out              string
	multi            bool
	name, board, soc string
	keys             []string
}

func packageBuildCommand(a *app.App) *cobra.Command {
	var o packageBuildOptions
	cmd := &cobra.Command{
		Use:        "build [image[.slot]=]<file>... -o <package>",
		SuggestFor: []string{"make", "create", "pack"},
		Short:      "Make a package of signed images",
		Long: `Make a package of signed images. A file is for image 0 unless a number stands before it: 1=net.bin;
of direct-XIP builds with one file for each slot, also the slot: 0.0=app.bin 0.1=app_slot1.bin.

Every image must be whole and, with --key, signed by one of the keys. The same files always give the
same bytes.`,
		Example: `  smpctl package build -o dfu_application.zip app.signed.bin 1=net.signed.bin --key app.pub.pem
  smpctl package build -o dfu.bin --multi-image 0=app.signed.bin 1=net.signed.bin`,
		Args: app.Takes(1, -1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return packageBuild(ctx, a, args, o)
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write the package to this `file`")
	f.BoolVar(&o.multi, "multi-image", false, "make a dfu_multi_image container, not a zip archive")
	f.StringVar(&o.name, "name", "", "`name` of the application, in the manifest")
	f.StringVar(&o.board, "board", "", "`name` of the board, in the manifest")
	f.StringVar(&o.soc, "soc", "", "`name` of the chip, in the manifest")
	f.StringArrayVar(&o.keys, "key", nil, "public `key` (PEM) that must have signed; of several, one")
	app.Require(cmd, "output")
	app.Require(cmd, "output")
	return cmd
}

func packageBuild(ctx context.Context, a *app.App, args []string, o packageBuildOptions) (app.Result, error) {
	if err := files.Apart([]string{o.out}, o.keys); err != nil {
		return nil, err
	}
	keys, err := trust.ReadKeys(o.keys)
	if err != nil {
		return nil, err
	}
	p := &pack.Package{Format: pack.Zip, Name: o.name}
	if o.multi {
		p.Format = pack.MultiImage
	}
	for _, arg := range args {
		m, err := o.member(arg)
		if err != nil {
			return nil, err
		}
		p.Members = append(p.Members, m)
	}
	content, err := content(ctx, a, o.out, p, keys)
	if err != nil {
		return nil, err
	}
	data, err := p.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.out, err)
	}
	if err := files.Write(o.out, data, files.Options{}); err != nil {
		return nil, err
	}
	return content, nil
}

// member reads IMAGE.SLOT=FILE.
func (o packageBuildOptions) member(arg string) (pack.Member, error) {
	m := pack.Member{Slot: pack.AnySlot}
	path := arg
	if where, file, ok := strings.Cut(arg, "="); ok {
		if number, slot, err := parsePlace(where); err == nil {
			m.Image, m.Slot, path = number, slot, file
		}
	}
	if err := files.Apart([]string{o.out}, []string{path}); err != nil {
		return m, err
	}
	img, err := files.ReadImage(path)
	if err != nil {
		return m, err
	}
	m.Name, m.Data, m.Version = filepath.Base(path), img.Bytes(), img.Header.Version.String()
	if isHexName := strings.EqualFold(filepath.Ext(path), ".hex"); isHexName {
		m.Name = strings.TrimSuffix(m.Name, filepath.Ext(path)) + ".bin" // as the bytes are now
	}
	if img.Header.Flags&image.FlagROMFixed != 0 {
		m.LoadAddress = uint64(img.Header.LoadAddr) + uint64(img.Header.HeaderSize)
	}
	m.Fields = map[string]any{"type": "application", "board": o.board, "soc": o.soc}
	return m, nil
}

// parsePlace reads IMAGE or IMAGE.SLOT.
func parsePlace(text string) (number, slot int, err error) {
	image, of, slotted := strings.Cut(text, ".")
	if number, err = strconv.Atoi(image); err != nil || number < 0 || number > pack.MaxImage {
		return 0, 0, failure.Usage("image %q: want 0 to %d", image, pack.MaxImage)
	}
	if !slotted {
		return number, pack.AnySlot, nil
	}
	if slot, err = strconv.Atoi(of); err != nil || slot < 0 || slot > 1 {
		return 0, 0, failure.Usage("slot %q: want 0 or 1", of)
	}
	return number, slot, nil
}
