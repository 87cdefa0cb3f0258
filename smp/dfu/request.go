package dfu

import (
	"context"
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// Request is one thing to be done with the slots of a device, apart from a whole update.
//
//	MarkTest       boot the image with Hash once, at the next reset
//	MarkPermanent  boot the image with Hash from the next reset on; or keep it, if it runs
//	Confirm        keep the image that runs
//	Erase          empty Slot
//	Upload         put the image with Hash into the slot of Image that does not run
type Request struct {
	Action Action
	Image  int      // number of the image; of an upload only
	Hash   smp.Hash // of a mark and an upload
	Slot   int      // of an erase, counted over all images: image × 2 + slot; [smp.SlotDefault] if the device chooses
}

// Answer is what came of a [Request].
type Answer struct {
	Unchanged bool          // it was done before
	Note      string        // what the user should know; mostly empty
	Images    smp.ImageList // that shows it
}

// Do has the device mark, confirm or erase, and returns once its image list shows that it did: the list in the answer,
// or one that is asked for if that shows nothing. It blocks as long as three or four requests may take.
//
// A success that no list shows is an *[UndoneError]. The list is read before, too, and a *[StateError] says that the
// request was not sent because a bootloader would do something else. Other errors are those of package smp.
func (q Request) Do(ctx context.Context, c *smp.Client) (Answer, error) {
	before, err := c.Image.List(ctx)
	if err != nil {
		return Answer{}, err
	}
	if err := q.misread(ctx, c, before); err != nil {
		return Answer{}, err
	}
	list, err := q.send(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	v, text := q.verdict(before, list)
	if v == notDone {
		if list, err = c.Image.List(ctx); err != nil {
			return Answer{}, fmt.Errorf("the device answered with success, but nothing shows what it did: %w", err)
		}
		v, text = q.verdict(before, list)
	}
	switch {
	case v == notDone:
		return Answer{}, &UndoneError{q, text}
	case text == "":
		text, err = q.doubt(ctx, c, list)
	}
	return Answer{v == doneBefore, text, list}, err
}

// misread refuses a request that MCUboot's serial recovery would take for another: it marks the secondary slot of the
// image that has the hash in any of its slots; of image 0 without a hash, or if it was built without hashes
// (boot_serial.c: bs_set).
func (q Request) misread(ctx context.Context, c *smp.Client, l smp.ImageList) error {
	problem := q.outOfReach(l)
	if problem == "" {
		return nil
	}
	firmware, err := c.Identify(ctx, l)
	if err == nil && firmware == smp.SerialRecovery {
		return &StateError{Problem: "the device is in its bootloader, " + problem}
	}
	return err
}

// outOfReach says what is wrong with a request to serial recovery; empty if it means the same there.
func (q Request) outOfReach(l smp.ImageList) string {
	if q.Action == Confirm {
		return "where no image runs that it could confirm"
	}
	if q.Action != MarkTest && q.Action != MarkPermanent {
		return ""
	}
	number, _, ok := q.holder(l)
	if !ok {
		return fmt.Sprintf("which does not list the image %s", q.Hash.Short())
	}
	inSecondary := func(s smp.ImageState) bool { return s.Image == number && s.Slot != 0 && q.holds(s) }
	if slices.ContainsFunc(l.Images, inSecondary) {
		return ""
	}
	return fmt.Sprintf("which marks what is in slot 1, and %s is in slot 0", q.Hash.Short())
}

// send asks, and returns the list in the answer. An erase has none.
func (q Request) send(ctx context.Context, c *smp.Client) (smp.ImageList, error) {
	switch q.Action {
	case MarkTest:
		return c.Image.Test(ctx, q.Hash)
	case MarkPermanent:
		return c.Image.Confirm(ctx, q.Hash)
	case Confirm:
		return c.Image.Confirm(ctx, nil)
	case Erase:
		return smp.ImageList{}, c.Image.Erase(ctx, q.Slot)
	}
	return smp.ImageList{}, fmt.Errorf("%s is no request by itself", q.Action)
}

// doubt is what a mark in MCUboot's serial recovery leaves open: its list goes by the marks as a bootloader that swaps
// does, whatever this one does with them (boot_serial.c: bs_list), and no answer tells which it is.
func (q Request) doubt(ctx context.Context, c *smp.Client, l smp.ImageList) (string, error) {
	if q.Action != MarkTest && q.Action != MarkPermanent {
		return "", nil
	}
	firmware, err := c.Identify(ctx, l)
	if err != nil || firmware != smp.SerialRecovery {
		return "", err
	}
	return "the bootloader lists marks as one that swaps: " +
		"if it runs images from either slot or from RAM, only a reset shows what it starts", nil
}
