package failure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
)

// Kind is a kind of failure. Kinds and codes are a contract with scripts.
type Kind struct {
	Name string
	Code int
}

var (
	kindOther       = Kind{"other", 1}
	kindUsage       = Kind{"usage", 2}
	KindPort        = Kind{"port", 3}
	KindNoReply     = Kind{"no-reply", 4}
	kindRefused     = Kind{"refused", 5}
	kindImage       = Kind{"image", 6}
	KindNotRunning  = Kind{"not-running", 7}
	KindSomeFailed  = Kind{"some-failed", 8} // of several boards
	KindInterrupted = Kind{"interrupted", 130}
)

// ExitCode is a code with which the program ends, and what it means.
type ExitCode struct {
	Code    int
	Meaning string
}

// ExitCodes lists the exit codes, those of success and interruption among them, in order.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{0, "done"},
		{kindOther.Code, "another failure"},
		{kindUsage.Code, "wrong usage"},
		{KindPort.Code, "no such port, or busy"},
		{KindNoReply.Code, "device silent"},
		{kindRefused.Code, "device refused"},
		{kindImage.Code, "file not usable"},
		{KindNotRunning.Code, "new image not running"},
		{KindSomeFailed.Code, "a board failed"},
		{KindInterrupted.Code, "interrupted"},
	}
}

var (
	ErrInterrupted = errors.New("interrupted")
	ErrNoCommand   = errors.New("a command is missing")
)

// UsageError is a mistake in the command line that shows only once the body runs.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

func Usage(format string, args ...any) error { return AsUsage(fmt.Errorf(format, args...)) }

// AsUsage makes an error a mistake in the command line.
func AsUsage(err error) error { return UsageError{err} }

// IsUsage reports whether an error is a mistake in the command line.
func IsUsage(ctx context.Context, err error) bool { return KindOf(ctx, err) == kindUsage }

// ImageError is a file that is not usable for what was asked, beyond what package image says.
type ImageError struct{ error }

func (e ImageError) Unwrap() error { return e.error }

// AsImage makes an error one of the file.
func AsImage(err error) error { return ImageError{err} }

// kindError is an error that says its kind itself, and needs no hint.
type kindError struct {
	kind Kind
	error
}

func (e *kindError) Unwrap() error { return e.error }

// WithKind gives an error its kind.
func WithKind(k Kind, err error) error { return &kindError{k, err} }

// KindOf maps an error to its kind: the only place that does.
func KindOf(ctx context.Context, err error) Kind {
	var (
		bug        *BugError
		wrongUsage UsageError
		address    *transport.AddressError
		running    *dfu.NotRunningError
		refused    *smp.DeviceError
		unfit      *dfu.UnfitError
		state      *dfu.StateError
		outside    *dfu.BootloaderError
		undone     *dfu.UndoneError
		nonsense   *smp.ProtocolError
		file       *image.Error
		unusable   ImageError
		open       *transport.OpenError
		own        *kindError
	)
	switch {
	case errors.As(err, &bug):
		return kindOther
	case errors.Is(context.Cause(ctx), ErrInterrupted), errors.Is(err, ErrInterrupted):
		return KindInterrupted
	case errors.As(err, &wrongUsage), errors.As(err, &address), errors.Is(err, image.ErrBadOption):
		return kindUsage
	case errors.As(err, &running):
		return KindNotRunning
	case errors.Is(err, dfu.ErrNotBack), errors.Is(err, smp.ErrStalled):
		return KindNoReply
	case errors.As(err, &own):
		return own.kind
	case errors.As(err, &refused), errors.As(err, &state), errors.As(err, &outside),
		errors.Is(err, smp.ErrInBootloader):
		return kindRefused
	case errors.As(err, &undone), errors.Is(err, smp.ErrNotListed): // it said yes and did not do it
		return kindRefused
	case errors.As(err, &file), errors.As(err, &unfit), errors.As(err, &unusable):
		return kindImage
	case errors.As(err, &open), planHint(err) != "":
		return KindPort
	case errors.As(err, &nonsense):
		return kindOther
	case errors.Is(err, smp.ErrNoReply), errors.Is(err, smp.ErrClosed), errors.Is(err, transport.ErrDisconnected):
		return KindNoReply
	}
	return kindOther
}

// Unanswered drops the error of a device that did answer: no, or something that makes no sense.
func Unanswered(err error) error {
	var nonsense *smp.ProtocolError
	if isRefusal(err) || errors.As(err, &nonsense) {
		return nil
	}
	return err
}

// isRefusal reports whether the device answered, and said no.
func isRefusal(err error) bool {
	var refused *smp.DeviceError
	return errors.As(err, &refused)
}

// Situation is what a hint has to know besides the error.
type Situation struct {
	Reached bool   // the command had to do with a device
	Command string // as the user would write it; empty before it is known
}

// Hint is what to do next, keyed on the kind of error; empty if nothing useful can be said.
func Hint(k Kind, err error, now Situation) string {
	var open *transport.OpenError
	var refused *smp.DeviceError
	var running *dfu.NotRunningError
	var own *kindError
	var unanswered *unansweredError
	var undone *dfu.UndoneError
	var hinted *hintedError
	var bug *BugError
	if errors.As(err, &bug) {
		return bugHint
	}
	if errors.As(err, &hinted) {
		return hinted.hint
	}
	var outside *dfu.BootloaderError
	var address *transport.AddressError
	switch {
	case errors.As(err, &outside) && outside.Asked:
		return "hold the board's recovery button at the reset, or reset the board while smpctl recover waits for it " +
			"without --enter"
	case errors.As(err, &outside):
		return "--enter asks the application to reboot into the bootloader; or reset the board while the command waits"
	case errors.Is(err, smp.ErrInBootloader):
		return "smpctl recover uploads in the bootloader, which stays when it has no image to start; else smpctl " +
			"reset --wait leaves it"
	case errors.As(err, &address):
		return addressHint
	case k == kindUsage:
		return cmp.Or(now.Command, "smpctl") + " --help says how it is used"
	case k == KindPort:
		return portHint(err)
	case errors.Is(err, image.ErrBadMagic):
		return "wanted is a signed image; a Zephyr build leaves it in build/zephyr/zephyr.signed.bin"
	case errors.Is(err, image.ErrEncrypted):
		return "smpctl verify --decrypt KEY.pem checks all of it, where the device's key is at hand"
	case errors.As(err, &refused):
		return refusalHint(refused)
	case errors.As(err, &undone), errors.Is(err, smp.ErrNotListed):
		return "smpctl image list shows what the device has now, and smpctl bootloader how its bootloader chooses"
	case errors.Is(err, smp.ErrFileDiffers):
		return "copy it again; if that does not help, the firmware changes the file, or its file system is full"
	case errors.As(err, &running):
		return runningHint(running, SaidBy(err))
	case errors.As(err, &own):
		return ""
	case errors.Is(err, dfu.ErrNotBack) && errors.As(err, &open):
		return cmp.Or(obstacleHint(open), awayHint(open))
	case k == KindNoReply && errors.Is(err, transport.ErrDisconnected):
		return "the port went away; the same command picks up where the device is"
	case errors.Is(err, dfu.ErrNotBack):
		return notBackHint
	case errors.As(err, &unanswered):
		return unanswered.heard.hint()
	case k == KindNoReply:
		return Heard{}.hint()
	case k == KindInterrupted && now.Reached:
		return "the same command picks up where the device is"
	}
	return ""
}

// portHint is about a port that cannot be opened, or a plan that does not name one for each board.
func portHint(err error) string {
	var open *transport.OpenError
	if errors.As(err, &open) {
		return openHint(open)
	}
	return planHint(err)
}

const addressHint = "an address is a port such as /dev/ttyACM0 or COM22, usb:VID:PID[:SERIAL], usb:serial=…, " +
	"usb:location=…, usb:location=1-1.* for all below 1-1, tcp:HOST:PORT, udp:HOST[:PORT] or sim:[FILE]"

func refusalHint(e *smp.DeviceError) string {
	switch {
	case e.Unsupported():
		return "the firmware was built without this command"
	case e.Busy():
		return "the application refuses for now; try again later (reset: --force)"
	}
	switch e.Name() {
	case "EMSGSIZE":
		return "the firmware's packet buffer (CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE), or a limit of this command, is " +
			"too small for the answer"
	case "NO_FREE_SLOT":
		return "an unconfirmed image runs or is pending: smpctl image list shows it; confirm it, or reset to go back"
	case "HASH_NOT_FOUND":
		return "smpctl image list shows the images on the device"
	case "IMAGE_ALREADY_PENDING":
		return "another image is already selected: reset first, or erase its slot"
	case "FILE_NOT_FOUND", "FILE_INVALID_NAME", "MOUNT_POINT_NOT_FOUND":
		return "a name begins with the mount point of the firmware's file system, such as /lfs1/notes.txt; " +
			"directories cannot be listed or made"
	case "FILE_WRITE_FAILED":
		return "a part of the file may have been written; the protocol cannot delete files"
	case "INVALID_IMAGE_TOO_LARGE":
		return "smpctl image slots shows the sizes"
	case "INVALID_FLASH_ADDRESS":
		return "the device runs images where they lie: build the file for the slot that is free, or take a package " +
			"with files for both"
	}
	return ""
}

// runningHint goes by what the device shows and by what its bootloader said, if that was heard.
func runningHint(e *dfu.NotRunningError, said string) string {
	switch {
	case e.Reason == dfu.Rejected && NamesOther(said):
		return ""
	case e.Reason == dfu.RevertedOrRefused && strings.Contains(said, "revert"):
		return "the new image was started, and crashed or was reset before it was confirmed"
	}
	switch e.Reason {
	case dfu.Rejected:
		return "most likely the bootloader has another signing key; check the signature with the bootloader's public " +
			"key"
	case dfu.RevertedOrRefused:
		return "the new image crashed or was reset before it was confirmed, or the bootloader keeps images that it " +
			"refuses; its console says which"
	case dfu.CheckReset:
		return "the check command resets the device, or crashes it: an image on trial does not survive that"
	case dfu.NotConfirmed, dfu.OtherSelected:
		return "smpctl image list shows what is selected; smpctl image confirm makes the running image permanent"
	case dfu.NotShown:
		return "smpctl image list shows what the device lists; recover --no-verify accepts an application that lists " +
			"nothing"
	case dfu.InBootloader:
		return "the bootloader found no image that it starts; smpctl recover uploads one in the bootloader"
	case dfu.NotListed:
		return "check the file with the bootloader's public key (--key); a device that was in its bootloader stays " +
			"there"
	case dfu.OtherRuns:
		return "another slot holds an image that the bootloader prefers; smpctl image list shows it"
	}
	return ""
}

// What to do about a device that did not come back: its port is there, or it is not.
const (
	notBackHint = "power the board off and on: the same command takes an update up"
	plugHint    = "check the board's power and cable, and plug it in again: the same command takes an update up; " +
		"smpctl ports shows what is there"
)

// Interrupted reports whether a command was, or says so as shells do.
func Interrupted(s *os.ProcessState) bool {
	return s.ExitCode() == 130 || s.String() == "signal: interrupt"
}

// hintedError is an error with what to do about it.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

// WithHint adds what to do about an error.
func WithHint(err error, hint string) error { return &hintedError{err, hint} }
