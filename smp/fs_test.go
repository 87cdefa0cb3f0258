package smp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

const remote = "/lfs1/a file.bin"

// fileBoard connects a client to a virtual device over a wire.
func fileBoard(t testing.TB, so sim.Options, w sim.Wire, o smp.Options) (*sim.Device, *smp.Client) {
	t.Helper()
	d, err := sim.NewDevice(so)
	if err != nil {
		t.Fatal(err)
	}
	c := smp.NewClient(transport.NewConn(w.Wrap(d.Stream()), transport.Options{Baud: so.Baud}), o)
	t.Cleanup(func() {
		c.Close()
		d.Close()
	})
	return d, c
}

// TestFilesOverBadWires uploads a file and downloads it again: the same bytes, proven by the device's hash, whatever
// the wire does.
func TestFilesOverBadWires(t *testing.T) {
	wires := []struct {
		name string
		wire sim.Wire
	}{
		{"perfect", sim.Wire{}},
		{"lost lines", sim.Wire{LoseLine: 0.02}},
		{"lost bytes", sim.Wire{LoseByte: 0.0002}},
		{"flips", sim.Wire{Flip: 0.0001}},
		{"doubled lines", sim.Wire{DoubleLine: 0.02}},
	}
	devices := []struct {
		name    string
		device  sim.Options
		options smp.Options
		proof   smp.Comparison
	}{
		{"zephyr", sim.Options{}, smp.Options{}, smp.ComparedSHA256},
		{"large buffers", sim.Options{BufSize: 2048, BufCount: 8}, smp.Options{}, smp.ComparedSHA256},
		{"version 1", sim.Options{}, smp.Options{Version: smp.V1}, smp.ComparedSHA256},
		{"no hashes", sim.Options{NoFileHash: true}, smp.Options{}, smp.ComparedSize},
		{"old server", sim.Options{Legacy: true}, smp.Options{}, smp.ComparedSHA256},
		{"two line buffers", sim.Options{RXLines: 2}, smp.Options{}, smp.ComparedSHA256},
		{"two packet buffers", sim.Options{BufCount: 2, BufSize: 128}, smp.Options{}, smp.ComparedSHA256},
	}
	for _, w := range wires {
		for _, dev := range devices {
			for _, size := range []int{1, 4 << 10, 60_000, 1 << 20} {
				if size == 1<<20 && (dev.device.BufSize == 0 || w.wire.LoseByte+w.wire.DoubleLine > 0) {
					continue // takes longer and shows no more
				}
				t.Run(fmt.Sprintf("%s, %s, %d", w.name, dev.name, size), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						wire := w.wire
						wire.Seed = uint64(size)
						_, c := fileBoard(t, dev.device, wire, dev.options)
						data := file(size)
						up, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{})
						if err != nil || up.ComparedBy != dev.proof {
							t.Fatalf("Upload: %+v, %v", up, err)
						}
						var got bytes.Buffer
						down, err := c.FS.Download(t.Context(), remote, &got, smp.FileDownload{})
						whole := bytes.Equal(got.Bytes(), data) && bytes.Equal(down.SHA256, sum(data))
						if err != nil || down.ComparedBy != dev.proof || !whole {
							t.Errorf("Download: %d bytes, %+v, %v", got.Len(), down, err)
						}
						if w.wire == (sim.Wire{}) && dev.device.BufCount != 2 && down.Resent > size/20 {
							t.Errorf("Download: %d bytes, %+v, %v", got.Len(), down, err)
						}
					})
				})
			}
		}
	}
}

// An upload that was interrupted goes on where the device stopped, if the device can show what it has.
func TestFileUploadResumes(t *testing.T) {
	data := file(20_000)
	tests := []struct {
		name   string
		device sim.Options
		there  []byte // on the device before
		option smp.FileUpload
		want   smp.FileUploadResult
	}{
		{"nothing there", sim.Options{}, nil, smp.FileUpload{}, smp.FileUploadResult{ComparedBy: smp.ComparedSHA256}},
		{"half of it", sim.Options{}, data[:9000], smp.FileUpload{},
			smp.FileUploadResult{ResumedFrom: 9000, ComparedBy: smp.ComparedSHA256}},
		{"half of it, no hashes", sim.Options{NoFileHash: true}, data[:9000], smp.FileUpload{},
			smp.FileUploadResult{ComparedBy: smp.ComparedSize}},
		{"half of it, from the start", sim.Options{}, data[:9000], smp.FileUpload{Restart: true},
			smp.FileUploadResult{ComparedBy: smp.ComparedSHA256}},
		{"half of it, old server", sim.Options{Legacy: true}, data[:9000], smp.FileUpload{},
			smp.FileUploadResult{ComparedBy: smp.ComparedSHA256}},
		{"half of another", sim.Options{}, data[1:9001], smp.FileUpload{},
			smp.FileUploadResult{ComparedBy: smp.ComparedSHA256}},
		{"more than it", sim.Options{}, file(30_000), smp.FileUpload{},
			smp.FileUploadResult{ComparedBy: smp.ComparedSHA256}},
		{"all of it", sim.Options{}, data, smp.FileUpload{},
			smp.FileUploadResult{AlreadyPresent: true, ResumedFrom: 20_000, ComparedBy: smp.ComparedSHA256}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c := fileBoard(t, tt.device, sim.Wire{}, smp.Options{})
				if tt.there != nil {
					if _, err := c.FS.Upload(t.Context(), remote, tt.there, smp.FileUpload{}); err != nil {
						t.Fatal(err)
					}
				}
				got, err := c.FS.Upload(t.Context(), remote, data, tt.option)
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("Upload: %v (-want +got):\n%s", err, diff)
				}
				checkFile(t, c, data)
			})
		})
	}
}

func checkFile(t *testing.T, c *smp.Client, want []byte) {
	t.Helper()
	var got bytes.Buffer
	if _, err := c.FS.Download(t.Context(), remote, &got, smp.FileDownload{}); err != nil ||
		!bytes.Equal(got.Bytes(), want) {
		t.Errorf("the device has %d bytes, want %d: %v", got.Len(), len(want), err)
	}
}

// Killed in the middle and started again: the second upload goes on, or begins again, and the file is right.
func TestFileUploadAfterInterruption(t *testing.T) {
	data := file(40_000)
	for _, restart := range []bool{false, true} {
		for _, after := range []time.Duration{0, 3 * time.Millisecond, 40 * time.Millisecond, 2 * time.Second} {
			t.Run(fmt.Sprintf("restart %v, after %v", restart, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, c := fileBoard(t, sim.Options{Baud: 115200}, sim.Wire{}, smp.Options{})
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					stop := time.AfterFunc(after, cancel)
					defer stop.Stop()
					_, err := c.FS.Upload(ctx, remote, data, smp.FileUpload{})
					if !errors.Is(err, context.Canceled) {
						t.Fatalf("interrupted Upload: %v", err)
					}
					if restart {
						d.Reset()
						time.Sleep(time.Second)
						c = smp.NewClient(transport.NewConn(d.Stream(), transport.Options{Baud: 115200}), smp.Options{})
						defer c.Close()
					}
					got, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{})
					if err != nil || got.Resent > 0 || !restart && after > time.Second && got.ResumedFrom == 0 {
						t.Errorf("Upload: %+v, %v", got, err)
					}
					checkFile(t, c, data)
				})
			})
		}
	}
}

// A device that restarts in the middle has its older file again: the upload starts over.
func TestFileUploadSurvivesARestart(t *testing.T) {
	data := file(40_000)
	for _, there := range [][]byte{nil, data[:380], data[100:600], file(3000), file(60_000)} {
		t.Run(fmt.Sprint(len(there)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := fileBoard(t, sim.Options{Latency: 2 * time.Millisecond}, sim.Wire{}, smp.Options{})
				c := smp.NewClient(d.Link(), smp.Options{}) // which outlives a reset
				defer c.Close()
				if there != nil {
					if _, err := c.FS.Upload(t.Context(), remote, there, smp.FileUpload{}); err != nil {
						t.Fatal(err)
					}
				}
				defer time.AfterFunc(50*time.Millisecond, d.Reset).Stop()
				got, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{Restart: true})
				if err != nil || got.Resent == 0 {
					t.Errorf("Upload: %+v, %v", got, err)
				}
				checkFile(t, c, data)
			})
		})
	}
}

func TestFileErrors(t *testing.T) {
	tests := []struct {
		name string
		do   func(ctx context.Context, g smp.FSGroup) error
		code string
	}{
		{"upload to a directory", uploadTo("/lfs1/log"), "FILE_IS_DIRECTORY"},
		{"upload, read-only", uploadTo("/rom/x"), "READ_ONLY_FILESYSTEM"},
		{"upload, no such directory", uploadTo("/lfs1/no/x"), "MOUNT_POINT_NOT_FOUND"},
		{"upload, no space", func(ctx context.Context, g smp.FSGroup) error {
			_, err := g.Upload(ctx, remote, file(30_000), smp.FileUpload{})
			return err
		}, "FILE_WRITE_FAILED"},
		{"upload, no path", uploadTo("x"), "FILE_INVALID_NAME"},
		{"upload, long name", uploadTo("/lfs1/" + strings.Repeat("x", 60)), "EINVAL"},
		{"download, missing", downloadOf("/lfs1/x"), "FILE_NOT_FOUND"},
		{"download of a directory", downloadOf("/lfs1"), "FILE_IS_DIRECTORY"},
		{"size, missing",
			func(ctx context.Context, g smp.FSGroup) error { _, err := g.Size(ctx, "/lfs1/x"); return err },
			"FILE_NOT_FOUND"},
		{"hash, unknown type", func(ctx context.Context, g smp.FSGroup) error {
			_, err := g.Hash(ctx, "/rom/version.txt", smp.FileHash{Type: "md5"})
			return err
		}, "CHECKSUM_HASH_NOT_FOUND"},
		{"hash behind the end", func(ctx context.Context, g smp.FSGroup) error {
			_, err := g.Hash(ctx, "/rom/version.txt", smp.FileHash{Offset: 10})
			return err
		}, "FILE_OFFSET_LARGER_THAN_FILE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c := fileBoard(t, sim.Options{FSSize: 20_000}, sim.Wire{}, smp.Options{})
				err := tt.do(t.Context(), c.FS)
				var refused *smp.DeviceError
				if !errors.As(err, &refused) || refused.Name() != tt.code {
					t.Errorf("got %v, want %s", err, tt.code)
				}
			})
		})
	}
}

func uploadTo(name string) func(context.Context, smp.FSGroup) error {
	return func(ctx context.Context, g smp.FSGroup) error {
		_, err := g.Upload(ctx, name, file(500), smp.FileUpload{})
		return err
	}
}

func downloadOf(name string) func(context.Context, smp.FSGroup) error {
	return func(ctx context.Context, g smp.FSGroup) error {
		_, err := g.Download(ctx, name, new(bytes.Buffer), smp.FileDownload{})
		return err
	}
}

func TestEmptyFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := fileBoard(t, sim.Options{}, sim.Wire{}, smp.Options{})
		got, err := c.FS.Upload(t.Context(), remote, nil, smp.FileUpload{})
		if err != nil || got.ComparedBy != smp.ComparedSize {
			t.Errorf("Upload: %+v, %v", got, err)
		}
		checkFile(t, c, nil)
		if _, err := c.FS.Upload(t.Context(), remote, []byte("x"), smp.FileUpload{}); err != nil {
			t.Error(err)
		}
		// Zephyr leaves the old content in place and says that all is well.
		if _, err := c.FS.Upload(t.Context(), remote, nil, smp.FileUpload{}); !errors.Is(err, smp.ErrFileDiffers) {
			t.Errorf("empty file over another: %v", err)
		}
	})
}

func TestFileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := fileBoard(t, sim.Options{}, sim.Wire{}, smp.Options{})
		for _, name := range []string{"", "/lfs1/a\x00b"} {
			if err := downloadOf(name)(t.Context(), c.FS); err == nil {
				t.Errorf("download of %q worked", name)
			}
			if err := uploadTo(name)(t.Context(), c.FS); err == nil {
				t.Errorf("upload to %q worked", name)
			}
		}
		if _, err := c.FS.Size(t.Context(), "/lfs1/\x1b[31m \"ä\""); err == nil ||
			strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("size: %v", err)
		}
	})
}

func TestDownloadLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := fileBoard(t, sim.Options{}, sim.Wire{}, smp.Options{})
		if _, err := c.FS.Upload(t.Context(), remote, file(1000), smp.FileUpload{}); err != nil {
			t.Fatal(err)
		}
		_, err := c.FS.Download(t.Context(), remote, new(bytes.Buffer), smp.FileDownload{Limit: 999})
		if err == nil || err.Error() != "fs download: the file has 1000 bytes, the limit is 999" {
			t.Errorf("Download: %v", err)
		}
		if _, err = c.FS.Download(t.Context(), remote, new(bytes.Buffer), smp.FileDownload{Limit: 1000}); err != nil {
			t.Error(err)
		}
	})
}

// A file that changes while it is read is no success, whenever it does.
func TestFileThatChanges(t *testing.T) {
	data := file(3000)
	tests := []struct {
		name  string
		after int // pieces
		with  []byte
		text  string
	}{
		{"shorter", 4, data[:1000], "it ends at"},
		{"same size", 4, append([]byte{data[0] + 1}, data[1:]...), "sha256"},
		{"longer", 4, file(4000), "goes on behind"},
		{"longer, in the end", 9, file(4000), "sha256"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, c := fileBoard(t, sim.Options{}, sim.Wire{}, smp.Options{Window: 1})
				other := smp.NewClient(d.Link(), smp.Options{})
				defer other.Close()
				if _, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{}); err != nil {
					t.Fatal(err)
				}
				pieces := 0
				_, err := c.FS.Download(t.Context(), remote, new(bytes.Buffer),
					smp.FileDownload{OnProgress: func(smp.Progress) {
						if pieces++; pieces == tt.after {
							if _, err := other.FS.Upload(t.Context(), remote, tt.with, smp.FileUpload{}); err != nil {
								t.Error(err)
							}
						}
					}})
				if !errors.Is(err, smp.ErrFileDiffers) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("Download: %v", err)
				}
			})
		})
	}
}

// A device that goes away in the middle of a download leaves an error that says how far it came.
func TestDownloadInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := fileBoard(t, sim.Options{Baud: 115200}, sim.Wire{HangUpAfter: 60_000}, smp.Options{})
		data := file(20_000)
		if _, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{}); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		_, err := c.FS.Download(t.Context(), remote, &got, smp.FileDownload{})
		want := fmt.Sprintf("fs download at %d of 20000 bytes: ", got.Len())
		if !errors.Is(err, smp.ErrClosed) || !strings.HasPrefix(err.Error(), want) || got.Len() == 0 ||
			!bytes.HasPrefix(data, got.Bytes()) {
			t.Errorf("Download: %v, want %s…", err, want)
		}
	})
}

func TestDownloadWriterFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := fileBoard(t, sim.Options{}, sim.Wire{}, smp.Options{})
		if _, err := c.FS.Upload(t.Context(), remote, file(2000), smp.FileUpload{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.FS.Download(t.Context(), remote, fullDisk{}, smp.FileDownload{}); !errors.Is(err, errFull) {
			t.Errorf("Download: %v", err)
		}
	})
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
