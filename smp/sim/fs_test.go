package sim_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

const kept = "/lfs1/kept"

// client connects to a device that outlives it.
func client(t testing.TB, d *sim.Device) *smp.Client {
	c := smp.NewClient(d.Link(), smp.Options{})
	t.Cleanup(func() { c.Close() })
	return c
}

// Files are there again when a device goes on with its flash file, and from the factory when that is new.
func TestFilesPersist(t *testing.T) {
	o := sim.Options{Flash: filepath.Join(t.TempDir(), "flash")}
	data := []byte("\x00\xffbytes")
	with := func(do func(g smp.FSGroup)) {
		d, err := sim.NewDevice(o)
		if err != nil {
			t.Fatal(err)
		}
		c := smp.NewClient(d.Link(), smp.Options{})
		do(c.FS)
		c.Close()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	with(func(g smp.FSGroup) {
		// An upload that was interrupted: the next one goes on there.
		ctx, cancel := context.WithCancel(t.Context())
		long := bytes.Repeat(data, 1000)
		_, err := g.Upload(ctx, "/lfs1/half", long, smp.FileUpload{OnProgress: func(p smp.Progress) {
			if p.Done > 2000 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted Upload: %v", err)
		}
	})
	with(func(g smp.FSGroup) {
		long := bytes.Repeat(data, 1000)
		if r, err := g.Upload(t.Context(), "/lfs1/half", long, smp.FileUpload{}); err != nil || r.ResumedFrom < 2000 {
			t.Errorf("Upload: %+v, %v", r, err)
		}
		if _, err := g.Upload(t.Context(), kept, data, smp.FileUpload{}); err != nil {
			t.Error(err)
		}
	})
	with(func(g smp.FSGroup) {
		var got bytes.Buffer
		if _, err := g.Download(t.Context(), kept, &got, smp.FileDownload{}); err != nil ||
			!bytes.Equal(got.Bytes(), data) {
			t.Errorf("Download: %q, %v", got.Bytes(), err)
		}
		if _, err := g.Size(t.Context(), "/rom/version.txt"); err != nil {
			t.Error(err)
		}
	})
	if err := os.Remove(o.Flash); err != nil {
		t.Fatal(err)
	}
	with(func(g smp.FSGroup) {
		if _, err := g.Size(t.Context(), kept); err == nil {
			t.Error("a new flash has the old file")
		}
	})
	if err := os.WriteFile(o.Flash+".files", []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if d, err := sim.NewDevice(o); err == nil {
		d.Close()
		t.Error("a device takes any file for its file system")
	}
}

// An open file shows its old content until the server has closed it, by itself after a while, and a reset throws the
// new one away.
func TestOpenFile(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(d *sim.Device)
		want int64
	}{
		{"at once", func(*sim.Device) {}, 3},
		{"idle", func(*sim.Device) { time.Sleep(5 * time.Second) }, 5},
		{"reset", func(d *sim.Device) { d.Reset(); time.Sleep(5 * time.Second) }, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{})
				c := client(t, d)
				if _, err := c.FS.Upload(t.Context(), kept, []byte("old"), smp.FileUpload{}); err != nil {
					t.Fatal(err)
				}
				// {"off": 0, "len": 9, "data": "first", "name": kept}
				first := append([]byte("\xa4\x63off\x00\x63len\x09\x64data\x45first\x64name\x6a"), kept...)
				if _, err := c.Raw(t.Context(), smp.Write, smp.GroupFS, 0, first); err != nil {
					t.Fatal(err)
				}
				tt.then(d)
				if n, err := c.FS.Size(t.Context(), kept); n != tt.want || err != nil {
					t.Errorf("Size = %d, %v, want %d", n, err, tt.want)
				}
			})
		})
	}
}
