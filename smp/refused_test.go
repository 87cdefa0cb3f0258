package smp_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

func TestUploadRefused(t *testing.T) {
	at := func(n int, body []byte) func(*server) {
		return func(s *server) {
			s.refuse = func(uploadBody) []byte {
				if len(s.bodies) == n {
					return body
				}
				return nil
			}
		}
	}
	always := func(body []byte) func(*server) {
		return func(s *server) { s.refuse = func(uploadBody) []byte { return body } }
	}
	var refused *smp.DeviceError
	var nonsense *smp.ProtocolError
	tests := []struct {
		name   string
		server func(*server)
		as     any
		text   string
		chunks int
		took   time.Duration
	}{
		{"no free slot", at(1, groupError(9)), &refused,
			"image upload: device refused: no slot may be written: it is in use, or the fallback of an unconfirmed " +
				"image (image 9 NO_FREE_SLOT)", 1, 0},
		{"no free slot, version 1", at(1, encode(reply{"rc": 6, "rsn": "\x1b[2Jpending"})), &refused,
			`image upload: device refused: not possible in the current state (rc 6 EBADSTATE): \x1b[2Jpending`, 1, 0},
		{"flash broken in the middle", at(4, groupError(12)), &refused,
			"image upload: device refused: flash could not be written (image 12 FLASH_WRITE_FAILED)", 4, 0},
		{"offset and an error", at(2, encode(reply{"off": 640, "rc": 1})), &refused,
			"image upload: device refused: unspecified failure (rc 1 EUNKNOWN)", 2, 0},
		{"busy for ever", always(rc(10)), &refused, "image upload: device refused: busy, try again later (rc 10 EBUSY)",
			21, 20 * time.Second},
		{"no buffers for ever", always(rc(2)), &refused,
			"image upload: device refused: out of memory or buffers (rc 2 ENOMEM)", 25, 20 * time.Second},
		{"beyond the end", at(2, offset(1001)), &nonsense,
			"image upload: unusable answer: it wants offset 1001 of 1000", 2, 0},
		{"before the start", at(2, offset(-1)), &nonsense, "image upload: unusable answer: it wants offset -1 of 1000",
			2, 0},
		{"far away", at(2, encode(reply{"off": int64(math.MaxInt64)})), &nonsense,
			"image upload: unusable answer: it wants offset 9223372036854775807 of 1000", 2, 0},
		{"beyond 2⁶³", at(2, encode(reply{"off": uint64(math.MaxUint64)})), &nonsense, "", 2, 0},
		{"no offset", at(2, encode(reply{})), &nonsense, "image upload: unusable answer: no offset in it", 2, 0},
		{"offset as text", at(2, encode(reply{"off": "288"})), &nonsense, "", 2, 0},
		{"offset twice", at(2, []byte("\xbf\x63off\x00\x63off\x01\xff")), &nonsense, "", 2, 0},
		{"no payload", at(2, []byte{}), &nonsense, "image upload: unusable answer: reply without payload", 2, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				tt.server(s)
				c := s.connect(t, smp.Options{Window: 1})
				within(t, tt.took+time.Second, func() {
					_, err := c.Image.Upload(t.Context(), file(1000), smp.ImageUpload{Hash: s.hash})
					if !errors.As(err, tt.as) || tt.text != "" && err.Error() != tt.text {
						t.Errorf("Upload: %v\nwant    %s", err, tt.text)
					}
				})
				if s.uploads != tt.chunks {
					t.Errorf("%d chunks, want %d", s.uploads, tt.chunks)
				}
			})
		})
	}
}

func TestUploadFails(t *testing.T) {
	tests := []struct {
		name   string
		server func(*server)
		data   []byte
		upload smp.ImageUpload
		is     error
		text   string
	}{
		{"no data", nil, nil, smp.ImageUpload{}, nil, "image upload: no data"},
		{"negative image", nil, file(100), smp.ImageUpload{Image: -1}, nil, "image upload: image number -1"},
		{"no room for a chunk", func(s *server) { s.bufSize = 65 }, file(1000),
			smp.ImageUpload{Image: 1, UpgradeOnly: true}, smp.ErrTooLarge,
			"image upload at 0 of 1000 bytes: request too large: a packet of 61 bytes has no room for a chunk"},
		{"check failed", func(s *server) { s.refuse = mismatch }, file(1000), smp.ImageUpload{Hash: make(smp.Hash, 32)},
			nil,
			"image upload at 1000 of 1000 bytes: the device's check of the written data failed: what it wrote is not " +
				"what was sent"},
		{"not listed", nil, file(1000), smp.ImageUpload{Hash: make(smp.Hash, 32)}, smp.ErrNotListed,
			"image upload: the device does not list the image after the upload"},
		{"never accepts a byte", func(s *server) { s.refuse = func(uploadBody) []byte { return offset(0) } },
			file(1000), smp.ImageUpload{}, smp.ErrStalled,
			"image upload at 0 of 1000 bytes: transfer makes no progress: offset 0 lost 61 times in a row"},
		{"random offsets for ever", func(s *server) {
			rng := rand.New(rand.NewPCG(1, 2))
			s.refuse = func(uploadBody) []byte { return offset(rng.IntN(1000)) }
		}, file(1000), smp.ImageUpload{}, smp.ErrStalled, ""},
		{"restarts for ever", func(s *server) {
			n := 0
			s.refuse = func(uploadBody) []byte {
				if n++; n%3 == 0 {
					s.active = false
					return offset(0)
				}
				return nil
			}
		}, file(5000), smp.ImageUpload{}, smp.ErrStalled,
			"image upload at 0 of 5000 bytes: transfer makes no progress: the device went back 3 times, now to offset 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				if tt.server != nil {
					tt.server(s)
				}
				c := s.connect(t, smp.Options{})
				within(t, 31*time.Second, func() {
					_, err := c.Image.Upload(t.Context(), tt.data, tt.upload)
					if err == nil || tt.is != nil && !errors.Is(err, tt.is) || tt.text != "" && err.Error() != tt.text {
						t.Errorf("Upload: %v\nwant    %s", err, tt.text)
					}
				})
				if s.uploads > 100 {
					t.Errorf("%d chunks sent", s.uploads)
				}
			})
		})
	}
}

// mismatch answers the last chunk as a device does whose flash did not keep what was written.
func mismatch(u uploadBody) []byte {
	if *u.Off+len(u.Data) == 1000 {
		return encode(reply{"off": 1000, "match": false})
	}
	return nil
}

// A device without the file's hash cannot check, and an old one then says false.
func TestUploadWithoutRoomForTheHashIgnoresMatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.bufSize = 90
		s.refuse = mismatch
		c := s.connect(t, smp.Options{})
		if _, err := c.Image.Upload(t.Context(), file(1000), smp.ImageUpload{}); err != nil {
			t.Error(err)
		}
		if s.bodies[0].SHA != nil {
			t.Errorf("the first chunk carries a hash")
		}
	})
}
