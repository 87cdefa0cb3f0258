package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

func imageCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:        "image",
		SuggestFor: []string{"images", "slots"},
		Short:      "Manage the images on the device",
		RunE:       app.NeedsCommand,
	}
	cmd.AddCommand(imageListCommand(a), imageUploadCommand(a), imageTestCommand(a), imageConfirmCommand(a),
		imageEraseCommand(a), imageSlotsCommand(a))
	return cmd
}

func imageListCommand(a *app.App) *cobra.Command {
	var several boards.Flags
	cmd := &cobra.Command{
		Use:        "list",
		SuggestFor: []string{"show", "state", "info", "ls"},
		Short:      "Show the images on the device",
		Example:    "  smpctl -p sim: image list\n  smpctl -c testDK image list --json",
		Args:       app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			return boards.Run(ctx, a, several, boards.Work{Name: "image list", Whole: true, Do: imageList})
		}),
	}
	several.Register(cmd.Flags())
	return cmd
}

// imageList asks the device that the flags of a mean for its images.
func imageList(ctx context.Context, a *app.App, _ *boards.Turn) (app.Result, error) {
	return device.WithDevice(ctx, a, func(d *device.Device, c *smp.Client) (app.Result, error) {
		firmware, list, err := c.Who(ctx)
		if err == nil && list.Images == nil {
			list, err = c.Image.List(ctx) // the device does not have the command, and says so once more
		}
		if list.Images == nil {
			return nil, err
		}
		if firmware == smp.SerialRecovery {
			a.Note("the device is in its bootloader: %s", view.RecoveryName)
		}
		d.Remember(list)
		return view.NewImageList(list), nil
	})
}

func imageTestCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "test <hash|prefix|file>",
		Short: "Boot an image once, at the next reset",
		Long: `Boot an image once, at the next reset; the reset after that brings the old one back, unless the new
one was confirmed. Done means that the device lists the image as selected for one boot.

The image is named by its hash, by a unique prefix of 8 or more digits of it, or by its file.`,
		Example: "  smpctl image test 5a4c1f3e\n  smpctl image test app.signed.bin",
		Args:    app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return mark(ctx, a, args[0], dfu.Request{Action: dfu.MarkTest})
		}),
	}
}

func imageConfirmCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:        "confirm [hash|prefix|file]",
		SuggestFor: []string{"keep", "commit"},
		Short:      "Make an image permanent: the running one, or the one named",
		Long: `Make an image permanent: the running one, or the one named, which then boots at the next reset and
stays. Done means that the device lists it so, and no other image as selected for the next boot.

The image is named by its hash, by a unique prefix of 8 or more digits of it, or by its file.`,
		Example: "  smpctl image confirm\n  smpctl image confirm 5a4c1f3e",
		Args:    app.Takes(0, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			if which := strings.Join(args, ""); which != "" {
				return mark(ctx, a, which, dfu.Request{Action: dfu.MarkPermanent})
			}
			return device.WithDevice(ctx, a, func(d *device.Device, c *smp.Client) (app.Result, error) {
				return request(ctx, d, c, dfu.Request{Action: dfu.Confirm})
			})
		}),
	}
}

// mark finds the image that the user means, and marks it.
func mark(ctx context.Context, a *app.App, which string, q dfu.Request) (app.Result, error) {
	find, err := parseWhich(which)
	if err != nil {
		return nil, err
	}
	return device.WithDevice(ctx, a, func(d *device.Device, c *smp.Client) (app.Result, error) {
		if q.Hash, err = find(ctx, c); err != nil {
			return nil, err
		}
		r, err := request(ctx, d, c, q)
		var refused *smp.DeviceError
		if errors.As(err, &refused) {
			if list, listErr := c.Image.List(ctx); listErr == nil && !list.Has(q.Hash) {
				err = fmt.Errorf("%w: %s", err, known(list))
			}
		}
		return r, err
	})
}

// known names the images that could have been meant.
func known(l smp.ImageList) string {
	if len(l.Images) == 0 {
		return "the device lists no images"
	}
	names := make([]string, len(l.Images))
	for i, s := range l.Images {
		names[i] = fmt.Sprintf("%s (%s, image %d slot %d)",
			cmp.Or(s.Hash.Short(), "no hash"), view.VersionText(s.Version), s.Image, s.Slot)
	}
	return "the device has " + strings.Join(names, ", ")
}

// request has the device do it. Done means that its list shows it.
func request(ctx context.Context, d *device.Device, c *smp.Client, q dfu.Request) (app.Result, error) {
	answer, err := q.Do(ctx, c)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.Note != "":
		d.App.Warn("%s", answer.Note)
	case answer.Unchanged:
		d.App.Note("nothing had to change: it was so before")
	}
	d.Remember(answer.Images)
	return view.NewImageList(answer.Images), nil
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
		img, err := files.ReadImage(which)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, failure.WithHint(err, "an image is named by its file, its hash, or 8 or more digits of that; "+
				"smpctl image list shows the hashes")
		}
		if err != nil {
			return nil, err
		}
		return fixed(img.Hash()), nil
	}
	if len(digits) < minPrefix {
		return nil, failure.Usage("image %q: a hash prefix needs at least %d digits", which, minPrefix)
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
			return nil, failure.Usage("image %s: several images on the device begin with it", digits)
		}
		found = s.Hash
	}
	if found == nil {
		return nil, fmt.Errorf("image %s: no image on the device begins with it: %s", digits, known(list))
	}
	return found, nil
}

func imageEraseCommand(a *app.App) *cobra.Command {
	slot := smp.SlotDefault
	cmd := &cobra.Command{
		Use:        "erase",
		SuggestFor: []string{"delete", "remove"},
		Short:      "Erase the slot that is not in use",
		Long: "Erase the slot that is not in use, or another one. Done means that the device lists no image there " +
			"any more.",
		Example: "  smpctl image erase\n  smpctl image erase --slot 3",
		Args:    app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			if slot < smp.SlotDefault {
				return nil, failure.Usage("--slot %d: want 0 or more", slot)
			}
			return device.WithDevice(ctx, a, func(d *device.Device, c *smp.Client) (app.Result, error) {
				defer a.Doing("", "erasing; this can take a minute").Now().Stop()
				return request(ctx, d, c, dfu.Request{Action: dfu.Erase, Slot: slot})
			})
		}),
	}
	cmd.Flags().IntVar(&slot, "slot", slot,
		"slot to erase, counted over all images: image × 2 + slot (default: the device chooses)")
	return cmd
}

func imageSlotsCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "slots",
		Short:   "Show the sizes of the slots",
		Example: "  smpctl -p sim: image slots",
		Args:    app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
				slots, err := c.Image.Slots(ctx)
				if err != nil {
					return nil, err
				}
				return view.NewSlotList(slots), nil
			})
		}),
	}
}
