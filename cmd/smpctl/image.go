package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

func imageCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Manage the images on the device",
		RunE:  needsCommand,
	}
	cmd.AddCommand(imageListCommand(a), imageUploadCommand(a), imageTestCommand(a), imageConfirmCommand(a),
		imageEraseCommand(a), imageSlotsCommand(a))
	return cmd
}

func imageListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show the images on the device",
		Example: "  smpctl -p sim: image list\n  smpctl -c testDK image list --json",
		Args:    cobra.NoArgs,
		RunE: a.run(func(ctx context.Context, _ []string) (result, error) {
			return a.with(ctx, func(c *smp.Client) (result, error) {
				firmware, list, err := c.Who(ctx)
				if err == nil && list.Images == nil {
					list, err = c.Image.List(ctx) // the device does not have the command, and says so once more
				}
				if list.Images == nil {
					return nil, err
				}
				if firmware == smp.SerialRecovery {
					a.say("the device is in its bootloader: %s", recoveryName)
				}
				return newImageList(list), nil
			})
		}),
	}
}

func imageTestCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "test <hash|prefix|file>",
		Short: "Boot an image once, at the next reset",
		Long: `Boot an image once, at the next reset; the reset after that brings the old one back, unless the new
one was confirmed. Done means that the device lists the image as selected for one boot.

The image is named by its hash, by a unique prefix of 8 or more digits of it, or by its file.`,
		Example: "  smpctl image test 5a4c1f3e\n  smpctl image test app.signed.bin",
		Args:    cobra.ExactArgs(1),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return a.mark(ctx, args[0], dfu.Request{Action: dfu.MarkTest})
		}),
	}
}

func imageConfirmCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "confirm [hash|prefix|file]",
		Short: "Make an image permanent: the running one, or the one named",
		Long: `Make an image permanent: the running one, or the one named, which then boots at the next reset and
stays. Done means that the device lists it so, and no other image as selected for the next boot.

The image is named by its hash, by a unique prefix of 8 or more digits of it, or by its file.`,
		Example: "  smpctl image confirm\n  smpctl image confirm 5a4c1f3e",
		Args:    cobra.MaximumNArgs(1),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			if which := strings.Join(args, ""); which != "" {
				return a.mark(ctx, which, dfu.Request{Action: dfu.MarkPermanent})
			}
			return a.with(ctx,
				func(c *smp.Client) (result, error) { return a.request(ctx, c, dfu.Request{Action: dfu.Confirm}) })
		}),
	}
}

// mark finds the image that the user means, and marks it.
func (a *app) mark(ctx context.Context, which string, q dfu.Request) (result, error) {
	find, err := parseWhich(which)
	if err != nil {
		return nil, err
	}
	return a.with(ctx, func(c *smp.Client) (result, error) {
		if q.Hash, err = find(ctx, c); err != nil {
			return nil, err
		}
		return a.request(ctx, c, q)
	})
}

// request has the device do it. Done means that its list shows it.
func (a *app) request(ctx context.Context, c *smp.Client, q dfu.Request) (result, error) {
	answer, err := q.Do(ctx, c)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.Note != "":
		a.warn("%s", answer.Note)
	case answer.Unchanged:
		a.say("nothing had to change: it was so before")
	}
	return newImageList(answer.Images), nil
}

// minPrefix is the number of digits that name an image beyond doubt.
const minPrefix = 8

// parseWhich reads how the user names an image, before the device is asked: the result finds the hash.
func parseWhich(which string) (func(context.Context, *smp.Client) (smp.Hash, error), error) {
	fixed := func(h smp.Hash) func(context.Context, *smp.Client) (smp.Hash, error) {
		return func(context.Context, *smp.Client) (smp.Hash, error) { return h, nil }
	}
	if h, err := smp.ParseHash(which); err == nil {
		return fixed(h), nil
	}
	digits := strings.ToLower(which)
	hex := strings.Trim(digits, "0123456789abcdef") == ""
	if _, err := os.Stat(which); err == nil || !hex {
		img, err := readImage(which)
		if err != nil {
			return nil, err
		}
		return fixed(img.Hash()), nil
	}
	if len(digits) < minPrefix {
		return nil, usage("image %q: a hash prefix needs at least %d digits", which, minPrefix)
	}
	return func(ctx context.Context, c *smp.Client) (smp.Hash, error) { return findPrefix(ctx, c, digits) }, nil
}

// findPrefix looks for the only image whose hash begins with the digits.
func findPrefix(ctx context.Context, c *smp.Client, digits string) (smp.Hash, error) {
	list, err := c.Image.List(ctx)
	if err != nil {
		return nil, err
	}
	var found smp.Hash
	for _, s := range list.Images {
		if !strings.HasPrefix(s.Hash.String(), digits) || s.Hash.Equal(found) {
			continue
		}
		if found != nil {
			return nil, usage("image %s: several images on the device begin with it", digits)
		}
		found = s.Hash
	}
	if found == nil {
		return nil, fmt.Errorf("image %s: no image on the device begins with it", digits)
	}
	return found, nil
}

func imageEraseCommand(a *app) *cobra.Command {
	slot := smp.SlotDefault
	cmd := &cobra.Command{
		Use:   "erase",
		Short: "Erase the slot that is not in use",
		Long: "Erase the slot that is not in use, or another one. Done means that the device lists no image there " +
			"any more.",
		Example: "  smpctl image erase\n  smpctl image erase --slot 3",
		Args:    cobra.NoArgs,
		RunE: a.run(func(ctx context.Context, _ []string) (result, error) {
			if slot < smp.SlotDefault {
				return nil, usage("--slot %d: want 0 or more", slot)
			}
			return a.with(ctx, func(c *smp.Client) (result, error) {
				a.say("erasing; this can take a minute")
				return a.request(ctx, c, dfu.Request{Action: dfu.Erase, Slot: slot})
			})
		}),
	}
	cmd.Flags().IntVar(&slot, "slot", slot,
		"`number` of the slot, counted over all images: image × 2 + slot (default: the device chooses)")
	return cmd
}

func imageSlotsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "slots",
		Short:   "Show the sizes of the slots",
		Example: "  smpctl -p sim: image slots",
		Args:    cobra.NoArgs,
		RunE: a.run(func(ctx context.Context, _ []string) (result, error) {
			return a.with(ctx, func(c *smp.Client) (result, error) {
				slots, err := c.Image.Slots(ctx)
				if err != nil {
					return nil, err
				}
				return newSlotList(slots), nil
			})
		}),
	}
}

// imageList is the result of commands that show the images.
type imageList struct {
	Images      []imageEntry `json:"images"`
	SplitStatus int          `json:"split_status"`
}

type imageEntry struct {
	Image     int      `json:"image"`
	Slot      int      `json:"slot"`
	Version   string   `json:"version"`
	version   string   // as the device writes it
	Hash      smp.Hash `json:"hash"`
	Bootable  bool     `json:"bootable"`
	Pending   bool     `json:"pending"`
	Confirmed bool     `json:"confirmed"`
	Active    bool     `json:"active"`
	Permanent bool     `json:"permanent"`
}

func newImageList(l smp.ImageList) imageList {
	r := imageList{Images: make([]imageEntry, len(l.Images))}
	for i, s := range l.Images {
		r.Images[i] = imageEntry{s.Image, s.Slot, versionText(s.Version), s.Version, s.Hash, s.Bootable, s.Pending,
			s.Confirmed, s.Active, s.Permanent}
	}
	if l.SplitStatus != nil {
		r.SplitStatus = *l.SplitStatus
	}
	return r
}

// versionText is a device's version in the form of imgtool, four parts; as it is if it is no version.
func versionText(s string) string {
	if v, err := image.ParseVersion(s); err == nil {
		return v.String()
	}
	return s
}

// flags lists the flags in mcumgr-cli's order.
func (e imageEntry) flags() string {
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

// slotList is the result of image slots.
type slotList struct {
	Images []slotImage `json:"images"`
}

type slotImage struct {
	Image        int         `json:"image"`
	Slots        []slotEntry `json:"slots"`
	MaxImageSize *uint64     `json:"max_image_size,omitempty"`
}

type slotEntry struct {
	Slot     int     `json:"slot"`
	Size     uint64  `json:"size"`
	UploadID *uint64 `json:"upload_image_id,omitempty"`
	Errno    *int64  `json:"errno,omitempty"`
}

func newSlotList(images []smp.ImageSlots) slotList {
	r := slotList{Images: make([]slotImage, len(images))}
	for i, m := range images {
		r.Images[i] = slotImage{Image: m.Image, Slots: []slotEntry{}}
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
