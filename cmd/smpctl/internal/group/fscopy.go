package group

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

// maxUploadFile bounds the bytes of a file to upload, which is read as a whole; a board's file system has less.
const maxUploadFile = 64 << 20

func fsUploadCommand(a *app.App) *cobra.Command {
	var restart bool
	cmd := &cobra.Command{
		Use:        "upload <file|-> <remote>",
		SuggestFor: []string{"put", "push", "write"},
		Short:      "Copy a file to the device",
		Long: `Copy a file, or standard input, to the device, over a file that is there. Done means that the
device's own hash of the file is right; a device without hashes is asked for the size, and the
result says so.

While the copy runs, the device has a part of it under that name. The same command goes on after an
interruption, if the device can show by a hash that its part is the beginning of the file.`,
		Example: "  smpctl -p sim: fs upload notes.txt /lfs1/notes.txt",
		Args:    app.Takes(2, 2),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return fsUpload(ctx, a, args[0], args[1], smp.FileUpload{Restart: restart})
		}),
	}
	cmd.Flags().BoolVar(&restart, "restart", false, "send all of it, whatever the device has already")
	return cmd
}

// fileCopy is the result of fs upload and fs download.
type fileCopy struct {
	Name           string         `json:"name"` // path of the file on the device
	Bytes          int64          `json:"bytes"`
	Seconds        float64        `json:"seconds"`
	BytesPerSecond int            `json:"bytes_per_second"`
	Verified       smp.Comparison `json:"verified,omitempty"` // by what; absent if nothing could be compared
	SHA256         string         `json:"sha256"`             // of the file, in hexadecimal digits
	Resent         int            `json:"resent"`
	AlreadyPresent bool           `json:"already_present"`
	ResumedFrom    int            `json:"resumed_from"`

	done string // what happened, for people
}

// finish adds the speed.
func (r fileCopy) finish(took time.Duration) fileCopy {
	r.Seconds = took.Seconds()
	if took > 0 && !r.AlreadyPresent {
		r.BytesPerSecond = int(float64(r.Bytes-int64(r.ResumedFrom)) / took.Seconds())
	}
	return r
}

// Verdict is how the first line of the text is meant.
func (fileCopy) Verdict() app.Mark { return app.Done }

func (r fileCopy) Text(w io.Writer) error {
	took := time.Duration(r.Seconds * float64(time.Second))
	if r.AlreadyPresent {
		fmt.Fprintf(w, "already on the device: %s", human.Size(int(r.Bytes)))
	} else {
		fmt.Fprintf(w, "%s %s in %s (%s)", r.done, human.Size(int(r.Bytes)), human.Span(took),
			human.Rate(int(r.Bytes)-r.ResumedFrom, took))
	}
	if r.ResumedFrom > 0 && !r.AlreadyPresent {
		fmt.Fprintf(w, ", taken up at %s", human.Size(r.ResumedFrom))
	}
	if r.Resent > 0 {
		fmt.Fprintf(w, ", %s twice for losses", human.Size(r.Resent))
	}
	_, err := fmt.Fprintf(w, "\n%s\nDone\n", proofText(r.Verified)) // mcumgr-cli ends with this word
	return err
}

func proofText(p smp.Comparison) string {
	switch p {
	case smp.ComparedSize:
		return "verified: the size only, for the device gave no hash"
	case smp.NotCompared:
		return "unverified: the device tells neither hash nor size"
	}
	return "verified: the device's " + string(p)
}

func fsUpload(ctx context.Context, a *app.App, local, remote string, o smp.FileUpload) (app.Result, error) {
	data, err := readLocal(a, local)
	if err != nil {
		return nil, err
	}
	return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
		p := a.Progress("upload", "waiting for the first answer")
		o.OnProgress = p.Update
		up, err := c.FS.Upload(ctx, remote, data, o)
		p.Close()
		if err != nil {
			return nil, err
		}
		r := fileCopy{
			Name: remote, Bytes: int64(len(data)), Verified: up.ComparedBy, Resent: up.Resent,
			SHA256:         files.SHA256(data),
			AlreadyPresent: up.AlreadyPresent, ResumedFrom: up.ResumedFrom, done: "uploaded",
		}
		return r.finish(time.Since(p.Start)), nil
	})
}

// readLocal reads a file, or standard input.
func readLocal(a *app.App, path string) ([]byte, error) {
	if path != files.StreamName {
		if err := files.Apart([]string{a.Flags.Trace}, []string{path}); err != nil {
			return nil, err
		}
		return files.ReadInput("", path, maxUploadFile)
	}
	data, err := io.ReadAll(io.LimitReader(a.In, maxUploadFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("standard input: %w", err)
	case len(data) > maxUploadFile:
		return nil, files.TooLarge("standard input", maxUploadFile)
	}
	return data, nil
}

func fsDownloadCommand(a *app.App) *cobra.Command {
	var limit int64
	cmd := &cobra.Command{
		Use:        "download <remote> <file|->",
		SuggestFor: []string{"get", "read", "pull", "cat"},
		Short:      "Copy a file from the device",
		Long: `Copy a file from the device to a local file, over one that is there, or to standard output. The
local file appears once it is complete and the device's own hash of it is right; a device without
hashes is asked for the size, and the result says so.`,
		Example: "  smpctl -p sim: fs download /lfs1/config.json config.json\n" +
			"  smpctl -p sim: fs download /lfs1/config.json -",
		Args: app.Takes(2, 2),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			if limit < 0 {
				return nil, failure.Usage("--limit %d: want 0 or more", limit)
			}
			return fsDownload(ctx, a, args[0], args[1], smp.FileDownload{Limit: limit})
		}),
	}
	cmd.Flags().Int64Var(&limit, "limit", 0, "refuse a file of more `bytes` (default: 4 GiB)")
	return cmd
}

func fsDownload(ctx context.Context, a *app.App, remote, local string, o smp.FileDownload) (app.Result, error) {
	to, err := createLocal(a, local)
	if err != nil {
		return nil, err
	}
	defer to.Discard()
	return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
		p := a.Progress("download", "waiting for the first answer")
		o.OnProgress = p.Update
		down, err := c.FS.Download(ctx, remote, to, o)
		p.Close()
		if err != nil {
			return nil, err
		}
		r := fileCopy{
			Name: remote, Bytes: down.Bytes, Verified: down.ComparedBy, Resent: down.Resent,
			SHA256: hex.EncodeToString(down.SHA256), done: "downloaded",
		}.finish(time.Since(p.Start))
		if local != files.StreamName {
			return r, to.Commit()
		}
		a.Say("downloaded %s, %s", human.Size(int(r.Bytes)), proofText(r.Verified))
		a.Event(app.DownloadedEvent[fileCopy]{Event: "downloaded", Result: r})
		return nil, to.Commit()
	})
}

// createLocal begins a file, or what goes to standard output.
func createLocal(a *app.App, path string) (*files.File, error) {
	if path == files.StreamName {
		return files.Spool("standard output", data(a))
	}
	return files.Create(path, files.Options{Durable: true})
}

// data is standard output for bytes that the user asked for: untouched in a pipe, harmless on a terminal.
func data(a *app.App) io.Writer {
	if a.OutTTY {
		return a.Out
	}
	return a.Bytes
}
