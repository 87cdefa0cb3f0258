package group

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func fsCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:        "fs",
		SuggestFor: []string{"files", "file"},
		Short:      "Copy and check files on the device",
		Long: `Copy and check files on the device. A file there is named by its whole path, which begins with the
mount point: /lfs1/notes.txt. The protocol cannot list directories, or delete or rename files.`,
		RunE: app.NeedsCommand,
	}
	cmd.AddCommand(fsUploadCommand(a), fsDownloadCommand(a), fsSizeCommand(a), fsHashCommand(a), fsCloseCommand(a))
	return cmd
}

// fileSizeResult is the result of fs size.
type fileSizeResult struct {
	Name  string `json:"name"` // path of the file on the device
	Bytes int64  `json:"bytes"`
}

func (r fileSizeResult) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, r.Bytes)
	return err
}

func fsSizeCommand(a *app.App) *cobra.Command {
	return ask(a, "size <remote>", "Show how many bytes a file has", "  smpctl -p sim: fs size /lfs1/config.json",
		app.Takes(1, 1), func(ctx context.Context, c *smp.Client, args []string) (app.Result, error) {
			n, err := c.FS.Size(ctx, args[0])
			if err != nil {
				return nil, err
			}
			return fileSizeResult{args[0], n}, nil
		})
}

// fileHashResult is the result of fs hash.
type fileHashResult struct {
	Name   string          `json:"name"`   // path of the file on the device
	Hashes []fileHashEntry `json:"hashes"` // one of each type that was asked for
}

// fileHashEntry is a hash or checksum of a part of a file, made by the device.
type fileHashEntry struct {
	Type   string `json:"type"`   // such as sha256 or crc32
	Hash   string `json:"digest"` // in hexadecimal digits
	Offset int64  `json:"offset"` // of the first byte that it covers
	Bytes  int64  `json:"bytes"`  // that it covers
}

func (r fileHashResult) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, h := range r.Hashes {
		fmt.Fprintf(t, "%s\t%s\n", h.Type, h.Hash)
	}
	return t.Flush()
}

type hashOptions struct {
	kind           string
	offset, length int64
}

func fsHashCommand(a *app.App) *cobra.Command {
	var o hashOptions
	cmd := &cobra.Command{
		Use:        "hash <remote>",
		SuggestFor: []string{"checksum", "sha256", "crc32"},
		Short:      "Show the hashes and checksums that the device makes of a file",
		Long: `Show the hashes and checksums that the device makes of a file: each that it has, or the one of
--type. A checksum that is a number is shown in hexadecimal digits.`,
		Example: "  smpctl -p sim: fs hash /lfs1/config.json\n  smpctl -p sim: fs hash --type sha256 /lfs1/config.json",
		Args:    app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			if o.offset < 0 || o.length < 0 {
				return nil, failure.Usage("--offset %d --length %d: want 0 or more", o.offset, o.length)
			}
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) { return hashFile(ctx, c, args[0], o) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.kind, "type", "", "only this `type`, such as sha256 or crc32 (default: each that the device has)")
	f.Int64Var(&o.offset, "offset", 0, "begin with this `byte` of the file")
	f.Int64Var(&o.length, "length", 0, "number of `bytes` (default: up to the end)")
	return cmd
}

func hashFile(ctx context.Context, c *smp.Client, name string, o hashOptions) (app.Result, error) {
	kinds := []string{o.kind} // an empty one is the device's favourite
	if o.kind == "" {
		types, err := c.FS.HashTypes(ctx)
		if err != nil && !smp.IsUnsupported(err) {
			return nil, err
		}
		if len(types) > 0 {
			kinds = nil
		}
		for _, t := range types {
			kinds = append(kinds, t.Name)
		}
	}
	r := fileHashResult{Name: name}
	for _, kind := range kinds {
		sum, err := c.FS.Hash(ctx, name, smp.FileHash{Type: kind, Offset: o.offset, Length: o.length})
		if err != nil {
			return nil, err
		}
		r.Hashes = append(r.Hashes, fileHashEntry{sum.Type, hex.EncodeToString(sum.Sum), sum.Offset, sum.Length})
	}
	return r, nil
}

// fileClosed is the result of fs close.
type fileClosed struct {
	Closed bool `json:"closed"` // always true
}

func (fileClosed) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, "closed")
	return err
}

func fsCloseCommand(a *app.App) *cobra.Command {
	return ask(a, "close", "Close the file that an interrupted copy left open on the device",
		"  smpctl -p sim: fs close", app.Takes(0, 0),
		func(ctx context.Context, c *smp.Client, _ []string) (app.Result, error) {
			if err := c.FS.Close(ctx); err != nil {
				return nil, err
			}
			return fileClosed{true}, nil
		})
}
