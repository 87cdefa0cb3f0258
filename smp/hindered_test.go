package smp_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// hindrances are refusals that are over after a while.
var hindrances = []struct {
	name   string
	refuse []byte
}{
	{"busy", rc(10)},
	{"out of memory", rc(2)},
	{"out of memory, as the image group says it", groupError(15)},
}

// TestUploadMovesOnThroughHindrances: one refusal in fifty ended an upload of a megabyte in its first third, for they
// were counted over the whole of it.
func TestUploadMovesOnThroughHindrances(t *testing.T) {
	for _, h := range hindrances {
		t.Run(h.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				n := 0
				s.refuse = func(uploadBody) []byte {
					if n++; n%50 == 0 {
						return h.refuse
					}
					return nil
				}
				data := file(1 << 20)
				c := s.connect(t, smp.Options{})
				within(t, 3*time.Minute, func() {
					if r, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
						t.Errorf("Upload = %+v, %v", r, err)
					}
				})
				s.check(t, data)
				if n < 3000 {
					t.Errorf("%d chunks, too few to say anything", n)
				}
			})
		})
	}
}

// TestUploadEndsWhereNothingMoves: however far it came before.
func TestUploadEndsWhereNothingMoves(t *testing.T) {
	for _, h := range hindrances {
		t.Run(h.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.refuse = func(u uploadBody) []byte {
					if *u.Off >= 100_000 {
						return h.refuse
					}
					return nil
				}
				c := s.connect(t, smp.Options{})
				within(t, 25*time.Second, func() {
					var refused *smp.DeviceError
					if _, err := c.Image.Upload(t.Context(), file(200_000), smp.ImageUpload{}); !errors.As(err,
						&refused) {
						t.Errorf("Upload: %v", err)
					}
				})
			})
		})
	}
}

// TestUploadThroughRestarts: a device that restarts again and again gets the image as long as each time it gets
// further.
func TestUploadThroughRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		chunks, restarts := 0, 0
		s.refuse = func(u uploadBody) []byte {
			if chunks++; *u.Off > 0 && chunks == 10*(restarts+1) {
				restarts++
				chunks, s.active = 0, false
			}
			return nil
		}
		data := file(40_000)
		c := s.connect(t, smp.Options{Window: 1})
		if r, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{Hash: s.hash}); err != nil {
			t.Errorf("Upload = %+v, %v after %d restarts", r, err, restarts)
		}
		s.check(t, data)
		if restarts < 5 {
			t.Errorf("%d restarts are too few", restarts)
		}
	})
}

// TestFilesMoveOnThroughHindrances is the same for files, in both directions.
func TestFilesMoveOnThroughHindrances(t *testing.T) {
	for _, h := range hindrances[:2] {
		t.Run(h.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := sim.NewDevice(sim.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				n := 0
				c := hinder(t, d, func(p []byte) []byte {
					if q := commandOf(p); q.group != smp.GroupFS || q.id != 0 {
						return nil
					}
					if n++; n%20 == 0 {
						return h.refuse
					}
					return nil
				})
				data := file(200_000)
				if r, err := c.FS.Upload(t.Context(), remote, data, smp.FileUpload{}); err != nil {
					t.Errorf("Upload = %+v, %v", r, err)
				}
				var got bytes.Buffer
				if r, err := c.FS.Download(t.Context(), remote, &got, smp.FileDownload{}); err != nil ||
					!bytes.Equal(got.Bytes(), data) {
					t.Errorf("Download = %+v, %v", r, err)
				}
				if n < 1000 {
					t.Errorf("%d requests are too few", n)
				}
			})
		})
	}
}

// hinder connects a client to a device that refuses a request if refuse says so.
func hinder(t *testing.T, d *sim.Device, refuse func(request []byte) []byte) *smp.Client {
	t.Helper()
	inner := d.Link()
	c, l := connect(t, func(l *link, p []byte) {
		if body := refuse(p); body != nil {
			l.reply(response(p, body))
		} else if err := inner.WritePacket(p); err != nil {
			l.fail(err)
		}
	}, smp.Options{})
	go func() {
		for {
			p, err := inner.ReadPacket()
			if err != nil {
				l.fail(fmt.Errorf("device: %w", err))
				return
			}
			l.reply(p)
		}
	}()
	return c
}
