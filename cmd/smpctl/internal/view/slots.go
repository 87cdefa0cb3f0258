package view

import (
	"fmt"
	"io"

	"github.com/smpctl/smpctl/smp"
)

// slotList is the result of image slots.
type slotList struct {
	Images []SlotImage `json:"images"` // each image of the device
}

// SlotImage is an image of the device, with its slots.
type SlotImage struct {
	Image        int         `json:"image"`
	Slots        []slotEntry `json:"slots"`                     // its slots
	MaxImageSize *uint64     `json:"max_image_bytes,omitempty"` // of the largest image that fits
}

// slotEntry is a slot of an image.
type slotEntry struct {
	Slot     int     `json:"slot"`
	Size     uint64  `json:"bytes"`                     // of the slot
	UploadID *uint64 `json:"upload_image_id,omitempty"` // the image number that an upload to this slot names
	Errno    *int64  `json:"errno,omitempty"`           // why the device cannot read it, as Zephyr numbers errors
}

func NewSlotList(images []smp.ImageSlots) slotList {
	r := slotList{Images: make([]SlotImage, len(images))}
	for i, m := range images {
		r.Images[i] = SlotImage{Image: m.Image, Slots: []slotEntry{}}
		if m.MaxImageSize > 0 {
			r.Images[i].MaxImageSize = &m.MaxImageSize
		}
		for _, s := range m.Slots {
			e := slotEntry{Slot: s.Slot, Size: s.Size, UploadID: s.UploadID}
			if s.Errno != 0 {
				e.Errno = &s.Errno
			}
			r.Images[i].Slots = append(r.Images[i].Slots, e)
		}
	}
	return r
}

func (l slotList) Text(w io.Writer) error {
	for _, m := range l.Images {
		fmt.Fprintf(w, "image=%d\n", m.Image)
		for _, s := range m.Slots {
			fmt.Fprintf(w, "    slot=%d size=%d", s.Slot, s.Size)
			if s.UploadID != nil {
				fmt.Fprintf(w, " upload-image=%d", *s.UploadID)
			}
			if s.Errno != nil {
				fmt.Fprintf(w, " unreadable (errno %d)", *s.Errno)
			}
			fmt.Fprintln(w)
		}
		if m.MaxImageSize != nil {
			fmt.Fprintf(w, "    largest image: %d\n", *m.MaxImageSize)
		}
	}
	if len(l.Images) == 0 {
		_, err := fmt.Fprintln(w, "the device lists no slots")
		return err
	}
	return nil
}
