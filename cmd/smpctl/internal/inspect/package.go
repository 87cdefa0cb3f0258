package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/pack"
	"github.com/spf13/cobra"
)

func packageCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "package",
		Short: "List, unpack and make update packages",
		Long: `List, unpack and make update packages: dfu_application.zip, and the container of nRF Connect SDK's
dfu_multi_image library. smpctl inspect shows everything in one.`,
		RunE: app.NeedsCommand,
	}
	cmd.AddCommand(packageListCommand(a), packageExtractCommand(a), packageBuildCommand(a))
	return cmd
}

func packageListCommand(a *app.App) *cobra.Command {
	var keys []string
	cmd := &cobra.Command{
		Use:   "list <file>",
		Short: "Show the images of a package, and whether they are whole",
		Long: `Show the images of a package. Each must be whole and, with --key, signed by one of the keys; if one
is not, all are shown and the exit code is 6.`,
		Example: "  smpctl package list dfu_application.zip\n" +
			"  smpctl package list dfu_application.zip --key app.pub.pem",
		Args: app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return packageList(ctx, a, args[0], keys)
		}),
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil,
		"public `key` (PEM) that must have signed; of several, one")
	return cmd
}

// packageContent is the result of the package commands.
type packageContent struct {
	File   string        `json:"file"`
	Format pack.Format   `json:"format"`
	Images []packedImage `json:"images"` // each image file in it
}

// packedImage is an image of a package, and where it was read or written.
type packedImage struct {
	Name    string       `json:"file"` // its name in the package, or the path that it was extracted to
	Image   int          `json:"image"`
	Slot    *int         `json:"slot,omitempty"` // that it is built for
	Bytes   int          `json:"bytes"`
	Version string       `json:"version,omitempty"`
	Hash    string       `json:"hash,omitempty"`
	Error   *app.Failure `json:"error,omitempty"` // what is wrong with it
}

func (r packageContent) Text(w io.Writer) error {
	for _, m := range r.Images {
		where := fmt.Sprintf("image %d", m.Image)
		if m.Slot != nil {
			where += fmt.Sprintf(" slot %d", *m.Slot)
		}
		text := m.Name
		if m.Error != nil {
			text += "  REFUSED"
		}
		if _, err := fmt.Fprintf(w, "%-15s %-12s %-8.8s %9d bytes  %s\n",
			where, m.Version, m.Hash, m.Bytes, text); err != nil {
			return err
		}
	}
	return nil
}

// readMembers parses a package and holds every member against the keys. The error is about the first that does not
// stand it.
func readMembers(ctx context.Context, a *app.App, path string, keyPaths []string) (*pack.Package, packageContent,
	error) {
	keys, err := trust.ReadKeys(keyPaths)
	if err != nil {
		return nil, packageContent{}, err
	}
	data, err := files.ReadImageFile(path)
	if err != nil {
		return nil, packageContent{}, err
	}
	p, err := pack.Parse(data)
	if err != nil {
		return nil, packageContent{}, fmt.Errorf("%s: %w", path, err)
	}
	for _, text := range p.Warnings {
		a.Warn("%s: %s", path, text)
	}
	content, err := content(ctx, a, path, p, keys)
	return p, content, err
}

func content(ctx context.Context, a *app.App, path string, p *pack.Package, keys []trust.Key) (packageContent, error) {
	content := packageContent{File: path, Format: p.Format, Images: []packedImage{}}
	var failed error
	for _, m := range p.Members {
		e := packedImage{Name: m.Name, Image: m.Image, Bytes: len(m.Data)}
		if m.Slot != pack.AnySlot {
			e.Slot = &m.Slot
		}
		err := checkMember(a, &e, path+": "+m.Name, m, keys)
		if err != nil {
			f := a.Failure(ctx, err)
			e.Error = &f
		}
		if failed == nil {
			failed = err
		}
		content.Images = append(content.Images, e)
	}
	return content, failed
}

func checkMember(a *app.App, e *packedImage, label string, m pack.Member, keys []trust.Key) error {
	img, err := m.Load()
	if err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	e.Version, e.Hash = img.Header.Version.String(), fmt.Sprintf("%x", img.Hash())
	for _, text := range append(img.Warnings(), m.Differs(img)...) {
		a.Warn("%s: %s", label, text)
	}
	if err := img.CheckHash(); err != nil && !errors.Is(err, image.ErrEncrypted) {
		return fmt.Errorf("%s: %w", label, err)
	}
	warning, err := trust.CheckSignature(label, img, keys)
	if warning != "" {
		a.Warn("%s", warning)
	}
	return err
}

func packageList(ctx context.Context, a *app.App, path string, keys []string) (app.Result, error) {
	p, content, err := readMembers(ctx, a, path, keys)
	if p == nil {
		return nil, err
	}
	return content, err
}

type extractOptions struct {
	dir   string
	keys  []string
	force bool
}

func packageExtractCommand(a *app.App) *cobra.Command {
	var o extractOptions
	cmd := &cobra.Command{
		Use:        "extract <file>",
		SuggestFor: []string{"unpack", "unzip"},
		Short:      "Write the images of a package to files",
		Long: `Write the images of a package to files, under the names that they have in it. Nothing is written
unless each image is whole and, with --key, signed by one of the keys, and no file of that name
exists.`,
		Example: "  smpctl package extract dfu_application.zip -o images",
		Args:    app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return packageExtract(ctx, a, args[0], o)
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&o.dir, "output", "o", ".", "write to this `folder`, which is made if there is none")
	f.StringArrayVar(&o.keys, "key", nil, "public `key` (PEM) that must have signed; of several, one")
	f.BoolVar(&o.force, "force", false, "write over files that exist")
	return cmd
}

func packageExtract(ctx context.Context, a *app.App, path string, o extractOptions) (app.Result, error) {
	p, content, err := readMembers(ctx, a, path, o.keys)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return nil, files.FileError(o.dir, err)
	}
	for _, m := range p.Members {
		to := filepath.Join(o.dir, m.Name)
		if !filepath.IsLocal(m.Name) { // such as CON on Windows
			return nil, failure.AsImage(fmt.Errorf("%s: %s is no name for a file here", path, m.Name))
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) && !o.force {
			return nil, fmt.Errorf("%s: exists already (--force writes over it)", to)
		}
		if err := files.Apart([]string{to}, append([]string{path}, o.keys...)); err != nil {
			return nil, err
		}
	}
	for i, m := range p.Members {
		to := filepath.Join(o.dir, m.Name)
		if err := files.Write(to, m.Data, files.Options{}); err != nil {
			return nil, err
		}
		content.Images[i].Name = to
	}
	return content, nil
}
