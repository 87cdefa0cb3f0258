package smp

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
)

// Hash is the hash of an image, as its TLV area carries it: 32, 48 or 64 bytes. It is not the hash of the image's file.
type Hash []byte

// ParseHash reads a whole hash in hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	b, err := hex.DecodeString(s)
	if err != nil || !validHashLen(len(b)) {
		return nil, fmt.Errorf("image hash %q: want 64, 96 or 128 hexadecimal digits", printable(s))
	}
	return b, nil
}

func validHashLen(n int) bool { return n == 32 || n == 48 || n == 64 }

// String gives the hash in lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h) }

// Short gives the first digits of the hash, enough for people to tell images apart.
func (h Hash) Short() string { return hex.EncodeToString(h[:min(len(h), 4)]) }

// Equal reports whether both are the same hash. No hash equals nothing.
func (h Hash) Equal(o Hash) bool { return len(h) > 0 && bytes.Equal(h, o) }

// MarshalText makes the hash appear in JSON as hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// ImageState is one slot that holds an image (Zephyr smp_group_1.rst, "Get state of images response"). A flag that the
// device leaves out is false; MCUboot's serial recovery may leave out all of them.
type ImageState struct {
	Image     int // number of the image pair; 0 unless the device has several
	Slot      int // 0 or 1 within the image
	Version   string
	Hash      Hash // nil if the device does not say
	Bootable  bool
	Pending   bool // will be booted at the next reset
	Confirmed bool // the bootloader keeps it, or returns to it
	Active    bool // runs now
	Permanent bool // with Pending: will stay
}

// ImageList is the state of all slots.
type ImageList struct {
	Images      []ImageState
	SplitStatus *int // nil if the device does not say; 0 on Zephyr
}

// Active returns the running image of this number.
func (l ImageList) Active(image int) (ImageState, bool) {
	for _, s := range l.Images {
		if s.Image == image && s.Active {
			return s, true
		}
	}
	return ImageState{}, false
}

// Has reports whether any slot holds the hash.
func (l ImageList) Has(h Hash) bool {
	for _, s := range l.Images {
		if s.Hash.Equal(h) {
			return true
		}
	}
	return false
}

type stateReply struct {
	Images      []stateEntry `cbor:"images"`
	SplitStatus *int         `cbor:"splitStatus"`
}

type stateEntry struct {
	Image     uint8       `cbor:"image"`
	Slot      uint8       `cbor:"slot"`
	Version   string      `cbor:"version"`
	Hash      textOrBytes `cbor:"hash"`
	Bootable  bool        `cbor:"bootable"`
	Pending   bool        `cbor:"pending"`
	Confirmed bool        `cbor:"confirmed"`
	Active    bool        `cbor:"active"`
	Permanent bool        `cbor:"permanent"`
}

// maxVersionLen is longer than any version a slot can hold: 255.255.65535.4294967295.
const maxVersionLen = 64

func (r stateReply) list() (ImageList, error) {
	l := ImageList{SplitStatus: r.SplitStatus, Images: make([]ImageState, len(r.Images))}
	for i, e := range r.Images {
		if len(e.Hash) != 0 && !validHashLen(len(e.Hash)) {
			return ImageList{}, protocolError(imageRead.name, fmt.Sprintf("image hash of %d bytes", len(e.Hash)))
		}
		if len(e.Version) > maxVersionLen {
			return ImageList{}, protocolError(imageRead.name, fmt.Sprintf("version of %d bytes", len(e.Version)))
		}
		l.Images[i] = ImageState{
			int(e.Image), int(e.Slot), e.Version, Hash(e.Hash), e.Bootable, e.Pending, e.Confirmed, e.Active,
			e.Permanent,
		}
	}
	return l, nil
}

// ImageGroup holds the commands of the image group (Zephyr smp_group_1.rst). Use it as a field of a [Client]. Every
// method waits for the device and returns a *[DeviceError] when the device refuses.
type ImageGroup struct{ c *Client }

// List asks for the state of all slots.
func (g ImageGroup) List(ctx context.Context) (ImageList, error) {
	r, err := imageRead.do(ctx, g.c, none{})
	if err != nil {
		return ImageList{}, err
	}
	return r.list()
}

type stateRequest struct {
	Hash    []byte `cbor:"hash,omitempty"`
	Confirm bool   `cbor:"confirm,omitempty"`
}

// Test marks the image with this hash to be booted once, at the next reset, and returns the new state.
func (g ImageGroup) Test(ctx context.Context, h Hash) (ImageList, error) {
	return g.setState(ctx, stateRequest{Hash: h})
}

// Confirm makes an image permanent and returns the new state: the running one for a nil hash; else the one with this
// hash, which then is booted at the next reset and stays.
func (g ImageGroup) Confirm(ctx context.Context, h Hash) (ImageList, error) {
	return g.setState(ctx, stateRequest{Hash: h, Confirm: true})
}

func (g ImageGroup) setState(ctx context.Context, q stateRequest) (ImageList, error) {
	r, err := imageWrite.do(ctx, g.c, q)
	if err != nil {
		return ImageList{}, err
	}
	return r.list()
}

type eraseRequest struct {
	Slot *uint `cbor:"slot,omitempty"`
}

// SlotDefault lets the device choose the slot to erase: the one opposite to the running image.
const SlotDefault = -1

// Erase erases one slot and waits until that is done, up to a minute. The number counts over all images: image × 2 +
// slot.
func (g ImageGroup) Erase(ctx context.Context, slot int) error {
	var q eraseRequest
	if slot != SlotDefault {
		if slot < 0 {
			return fmt.Errorf("%s: slot %d does not exist", imageErase.name, slot)
		}
		n := uint(slot)
		q.Slot = &n
	}
	_, err := imageErase.do(ctx, g.c, q)
	return err
}

// Slot is the flash area of one slot.
type Slot struct {
	Slot     int
	Size     uint64  // bytes; 0 if the device does not say
	UploadID *uint64 // the image number that an upload to this slot must name; nil if the device does not say
	Errno    int64   // negative if the device could not read the area; then nothing else is known
}

// ImageSlots are the slots of one image.
type ImageSlots struct {
	Image        int
	Slots        []Slot
	MaxImageSize uint64 // bytes of the largest image that fits, trailer taken off; 0 if the device does not say
}

type slotsReply struct {
	Images []struct {
		Image uint8 `cbor:"image"`
		Slots []struct {
			Slot     uint8   `cbor:"slot"`
			Size     uint64  `cbor:"size"`
			UploadID *uint64 `cbor:"upload_image_id"`
			RC       int64   `cbor:"rc"`
		} `cbor:"slots"`
		MaxImageSize uint64 `cbor:"max_image_size"`
	} `cbor:"images"`
}

// Slots asks for the sizes of the slots.
func (g ImageGroup) Slots(ctx context.Context) ([]ImageSlots, error) {
	r, err := imageSlots.do(ctx, g.c, none{})
	if err != nil {
		return nil, err
	}
	images := make([]ImageSlots, len(r.Images))
	for i, m := range r.Images {
		images[i] = ImageSlots{Image: int(m.Image), MaxImageSize: m.MaxImageSize}
		for _, s := range m.Slots {
			images[i].Slots = append(images[i].Slots, Slot{int(s.Slot), s.Size, s.UploadID, s.RC})
		}
	}
	return images, nil
}
