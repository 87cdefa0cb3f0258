package smp

import (
	"context"
	"errors"
)

// Firmware is what answers on a link.
type Firmware int

// The firmwares. MCUboot's serial recovery speaks a subset of SMP with rules of its own: an upload overwrites the
// primary slot, where the application is, and a reset leaves it (MCUboot docs/serial_recovery.md).
const (
	UnknownFirmware Firmware = iota
	Application
	SerialRecovery
)

// String gives "application", "bootloader" or "unknown".
func (f Firmware) String() string {
	switch f {
	case Application:
		return "application"
	case SerialRecovery:
		return "bootloader"
	}
	return "unknown"
}

// Who asks who answers, and what it lists: the one answer to that question. A device without an image list is an
// application, because the list is the one command that the bootloader always has; its list then has nil Images, and
// there is no error. Any other refusal of the list, an answer to it that makes no sense, and silence are errors. It
// blocks as long as two requests may take.
func (c *Client) Who(ctx context.Context) (Firmware, ImageList, error) {
	list, err := c.Image.List(ctx)
	if IsUnsupported(err) {
		return Application, ImageList{}, nil
	}
	if err != nil {
		return UnknownFirmware, ImageList{}, err
	}
	firmware, err := c.Identify(ctx, list)
	return firmware, list, err
}

// Identify finds out whether the application answers or the bootloader, from the image list that it gave just now and,
// where that leaves a doubt, from one more request. Use [Client.Who] unless there is a list already.
//
// No single reliable test exists, so it combines what sets Zephyr and MCUboot apart. Only Zephyr sends a split status,
// unless it was built to be frugal. A server that sends none is asked for the console echo control, which does nothing
// in MCUboot but is always answered with success, and which Zephyr does not have. If that stays unanswered, a running
// image decides: alone it would not do, because MCUboot can be built to mark the image that it would start. The packet
// buffers do not count: what is known of them may be from before a restart.
func (c *Client) Identify(ctx context.Context, l ImageList) (Firmware, error) {
	if l.SplitStatus != nil {
		return Application, nil
	}
	switch _, err := osConsole.do(ctx, c, consoleEchoRequest{}); {
	case err == nil:
		return SerialRecovery, nil
	case isRefusal(err):
		return Application, nil
	case errors.Is(err, ErrNoReply):
		return l.firmware(), nil
	default:
		return UnknownFirmware, err
	}
}

// firmware guesses from the flags: MCUboot without the state option lists none (BOOT_SERIAL_IMG_GRP_IMAGE_STATE).
func (l ImageList) firmware() Firmware {
	for _, s := range l.Images {
		if s.Active {
			return Application
		}
	}
	return SerialRecovery
}

type consoleEchoRequest struct {
	On uint `cbor:"echo"`
}
