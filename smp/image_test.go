package smp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// sameHash compares hashes as bytes: their own Equal takes no hash for equal to nothing.
var sameHash = cmp.Comparer(func(a, b smp.Hash) bool { return bytes.Equal(a, b) })

func hash(b byte, n int) smp.Hash { return bytes.Repeat([]byte{b}, n) }

func TestImageList(t *testing.T) {
	tests := []struct {
		name   string
		answer []byte
		want   smp.ImageList
	}{
		{"nothing", encode(reply{"images": []reply{}}), smp.ImageList{Images: []smp.ImageState{}}},
		{"no key", encode(reply{}), smp.ImageList{Images: []smp.ImageState{}}},
		{"every key",
			encode(reply{"images": []reply{{"image": 1, "slot": 1, "version": "1.2.3.4", "hash": []byte(hash(1, 32)),
				"bootable": true,
				"pending":  true, "confirmed": true, "active": true, "permanent": true, "inst_role": 7}},
				"splitStatus": 0}),
			smp.ImageList{SplitStatus: ptr(0),
				Images: []smp.ImageState{{Image: 1, Slot: 1, Version: "1.2.3.4", Hash: hash(1, 32),
					Bootable: true, Pending: true, Confirmed: true, Active: true, Permanent: true}}}},
		{"recovery without flags", encode(reply{"images": []reply{{"slot": 0, "version": "0.0.0"}}}),
			smp.ImageList{Images: []smp.ImageState{{Version: "0.0.0"}}}},
		{"SHA-384 and SHA-512",
			encode(reply{"images": []reply{{"slot": 0, "hash": []byte(hash(2, 48))},
				{"slot": 1, "hash": []byte(hash(3, 64))}}}),
			smp.ImageList{Images: []smp.ImageState{{Hash: hash(2, 48)}, {Slot: 1, Hash: hash(3, 64)}}}},
		{"hash as text, odd version",
			encode(reply{"images": []reply{{"slot": 0, "version": "<???>", "hash": string(hash('x', 32))}}}),
			smp.ImageList{Images: []smp.ImageState{{Version: "<???>", Hash: hash('x', 32)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := exchange(t, tt.answer, func(c *smp.Client) {
					got, err := c.Image.List(t.Context())
					if diff := cmp.Diff(tt.want, got, sameHash); diff != "" || err != nil {
						t.Errorf("List: %v (-want +got):\n%s", err, diff)
					}
				})
				if diff := cmp.Diff([]string{"0800000100010000a0"}, sent); diff != "" {
					t.Errorf("sent (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestImageListUnusable(t *testing.T) {
	for name, entry := range map[string]reply{
		"hash of 31 bytes": {"slot": 0, "hash": make([]byte, 31)},
		"hash as number":   {"slot": 0, "hash": 5},
		"endless version":  {"slot": 0, "version": strings.Repeat("1.", 100)},
		"slot 256":         {"slot": 256},
		"slot -1":          {"slot": -1},
		"flag as number":   {"slot": 0, "active": 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange(t, encode(reply{"images": []reply{entry}}), func(c *smp.Client) {
					var nonsense *smp.ProtocolError
					if list, err := c.Image.List(t.Context()); !errors.As(err, &nonsense) ||
						!cmp.Equal(list, smp.ImageList{}) {
						t.Errorf("List = %+v, %v, want an unusable answer", list, err)
					}
				})
			})
		})
	}
}

func TestImageStateRequests(t *testing.T) {
	h := "5820" + strings.Repeat("07", 32)
	tests := []struct {
		name string
		ask  func(t *testing.T, c *smp.Client) error
		want string
	}{
		{"test", func(t *testing.T, c *smp.Client) error { return second(c.Image.Test(t.Context(), hash(7, 32))) },
			"0a00002800010000a1" + "6468617368" + h},
		{"confirm",
			func(t *testing.T, c *smp.Client) error { return second(c.Image.Confirm(t.Context(), hash(7, 32))) },
			"0a00003100010000a2" + "6468617368" + h + "67636f6e6669726df5"},
		{"confirm the running one",
			func(t *testing.T, c *smp.Client) error { return second(c.Image.Confirm(t.Context(), nil)) },
			"0a00000a00010000a1" + "67636f6e6669726df5"},
		{"erase", func(t *testing.T, c *smp.Client) error { return c.Image.Erase(t.Context(), smp.SlotDefault) },
			"0a00000100010005a0"},
		{"erase slot 0", func(t *testing.T, c *smp.Client) error { return c.Image.Erase(t.Context(), 0) },
			"0a00000700010005a1" + "64736c6f7400"},
		{"erase slot 3", func(t *testing.T, c *smp.Client) error { return c.Image.Erase(t.Context(), 3) },
			"0a00000700010005a1" + "64736c6f7403"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := exchange(t, encode(reply{"images": []reply{}}), func(c *smp.Client) {
					if err := tt.ask(t, c); err != nil {
						t.Error(err)
					}
				})
				if diff := cmp.Diff([]string{tt.want}, sent); diff != "" {
					t.Errorf("sent (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := encode(reply{"images": []reply{
			{"image": 0,
				"slots": []reply{{"slot": 0, "size": 106496},
					{"slot": 1, "size": 106496, "upload_image_id": 0}},
				"max_image_size": 100000},
			{"image": 1, "slots": []reply{{"slot": 0, "rc": -5}}},
			{"image": 2},
		}})
		want := []smp.ImageSlots{
			{Slots: []smp.Slot{{Size: 106496}, {Slot: 1, Size: 106496, UploadID: ptr(uint64(0))}},
				MaxImageSize: 100000},
			{Image: 1, Slots: []smp.Slot{{Errno: -5}}},
			{Image: 2},
		}
		sent := exchange(t, answer, func(c *smp.Client) {
			got, err := c.Image.Slots(t.Context())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("Slots: %v (-want +got):\n%s", err, diff)
			}
		})
		if diff := cmp.Diff([]string{"0800000100010006a0"}, sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestImageListQueries(t *testing.T) {
	standby := smp.ImageState{Slot: 1, Hash: hash(1, 32)}
	active := smp.ImageState{Slot: 0, Hash: hash(1, 32), Active: true}
	other := smp.ImageState{Image: 1, Hash: hash(2, 32), Active: true}
	bare := smp.ImageState{Image: 2}
	l := smp.ImageList{Images: []smp.ImageState{standby, active, other, bare}}

	if got, ok := l.Active(1); !ok || !cmp.Equal(got, other) {
		t.Errorf("Active(1) = %+v, %v", got, ok)
	}
	if got, ok := l.Active(2); ok {
		t.Errorf("Active(2) = %+v", got)
	}
	if !l.Has(hash(2, 32)) || l.Has(hash(3, 32)) || l.Has(nil) || l.Has(hash(1, 31)) {
		t.Error("Has is wrong")
	}
}

func TestHash(t *testing.T) {
	for _, n := range []int{32, 48, 64} {
		want := hash(0xa5, n)
		if got, err := smp.ParseHash(strings.ToUpper(want.String())); !got.Equal(want) || err != nil {
			t.Errorf("ParseHash of %d bytes = %v, %v", n, got, err)
		}
	}
	for _, s := range []string{"", "a5", strings.Repeat("a5", 31), strings.Repeat("a5", 33), strings.Repeat("x5", 32),
		"\x1b"} {
		if got, err := smp.ParseHash(s); err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("ParseHash(%q) = %v, %v", s, got, err)
		}
	}
	if got := hash(0xa5, 32).Short(); got != "a5a5a5a5" {
		t.Errorf("Short = %s", got)
	}
	if got := smp.Hash(nil).Short(); got != "" || smp.Hash(nil).Equal(nil) {
		t.Errorf("Short of no hash = %s, or it equals itself", got)
	}
	b, err := json.Marshal(struct{ H smp.Hash }{hash(0xa5, 32)})
	if want := `{"H":"` + strings.Repeat("a5", 32) + `"}`; string(b) != want || err != nil {
		t.Errorf("JSON %s, %v, want %s", b, err, want)
	}
}
