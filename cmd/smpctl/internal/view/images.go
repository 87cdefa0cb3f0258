package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// imageList is the result of commands that show the images.
type imageList struct {
	Images      []ImageEntry `json:"images"`       // one for each slot that holds an image
	SplitStatus int          `json:"split_status"` // of split images, which Zephyr does not have: 0
}

// ImageEntry is a slot that holds an image. All its keys are there always.
type ImageEntry struct {
	Image     int      `json:"image"`
	Slot      int      `json:"slot"`
	Version   string   `json:"version"`
	version   string   // as the device writes it
	Hash      smp.Hash `json:"hash"`      // empty if the device lists none
	Bootable  bool     `json:"bootable"`  // the bootloader may start it
	Pending   bool     `json:"pending"`   // it is selected for the next boot
	Confirmed bool     `json:"confirmed"` // the bootloader keeps it, or returns to it
	Active    bool     `json:"active"`    // it runs
	Permanent bool     `json:"permanent"` // with pending: it will stay
}

func NewImageList(l smp.ImageList) imageList {
	r := imageList{Images: make([]ImageEntry, len(l.Images))}
	for i, s := range l.Images {
		r.Images[i] = ImageEntry{s.Image, s.Slot, VersionText(s.Version), s.Version, s.Hash, s.Bootable, s.Pending,
			s.Confirmed, s.Active, s.Permanent}
	}
	if l.SplitStatus != nil {
		r.SplitStatus = *l.SplitStatus
	}
	return r
}

// VersionText is a device's version in the form of imgtool, four parts; as it is if it is no version.
func VersionText(s string) string {
	if v, err := image.ParseVersion(s); err == nil {
		return v.String()
	}
	return s
}

// flags lists the flags in mcumgr-cli's order.
func (e ImageEntry) flags() string {
	var s []string
	for _, f := range []struct {
		set  bool
		name string
	}{{e.Active, "active"}, {e.Confirmed, "confirmed"}, {e.Pending, "pending"}, {e.Permanent, "permanent"}} {
		if f.set {
			s = append(s, f.name)
		}
	}
	return strings.Join(s, " ")
}

// Text prints mcumgr-cli's layout, which scripts read.
func (l imageList) Text(w io.Writer) error {
	fmt.Fprintln(w, "Images:")
	for _, e := range l.Images {
		hash := e.Hash.String()
		if hash == "" {
			hash = "Unavailable"
		}
		fmt.Fprintf(w, " image=%d slot=%d\n    version: %s\n    bootable: %t\n    flags: %s\n    hash: %s\n",
			e.Image, e.Slot, e.version, e.Bootable, e.flags(), hash)
	}
	_, err := fmt.Fprintf(w, "Split status: %s (%d)\n", splitName(l.SplitStatus), l.SplitStatus)
	return err
}

// splitName is mcumgr-cli's word for a split status; Zephyr knows only 0.
func splitName(n int) string {
	names := []string{"N/A", "not matching", "matching"}
	if n < 0 || n >= len(names) {
		return "unknown"
	}
	return names[n]
}

func (e ImageEntry) Summary() string {
	return strings.TrimRight(fmt.Sprintf("%s (%s)  %s", e.Version, e.Hash.Short(), e.flags()), " ")
}

// SlotTable shows the slots, a line each.
func SlotTable(w io.Writer, l smp.ImageList) error {
	for _, e := range NewImageList(l).Images {
		line := fmt.Sprintf("  image %d slot %d  %-12s %-8s  %s", e.Image, e.Slot, e.Version, e.Hash.Short(), e.flags())
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}
