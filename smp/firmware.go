package smp

import (
	"context"
	"errors"
)

// Firmware is what answers on a link.
type Firmware int

// The firmwares. MCUboot's serial recovery speaks a subset of SMP with rules of its own: an upload overwrites the primary
// slot, where the application is, and a reset leaves it (MCUboot docs/serial_recovery.md).
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

// Identify finds out whether the application answers or the bootloader, from the image list that it gave and, where that leaves a doubt,
// from one more request. A device without an image list is an application: the list is the one command that the bootloader always has.
//
// No single reliable test exists, so it combines what sets Zephyr and MCUboot apart. Only Zephyr sends a split status, unless it was built
// to be frugal. A server that sends none is asked for the console echo control, which does nothing in MCUboot but is always answered
// with success, and which Zephyr does not have. If that stays unanswered, a running image decides. The packet buffers do not count:
// what is known of them may be from before a restart.
func (c *Client) Identify(ctx context.Context, l ImageList) (Firmware, error) {
	if l.SplitStatus != nil {
		return Application, nil
	}
	var refused *DeviceError
	switch _, err := osConsole.do(ctx, c, consoleEchoRequest{}); {
	case err == nil:
		return SerialRecovery, nil
	case errors.As(err, &refused):
		return Application, nil
	case errors.Is(err, ErrNoReply):
		return l.firmware(), nil
	default:
		return UnknownFirmware, err
	}
}

// firmware guesses from the flags: MCUboot without the state option lists none.
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
