package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

// kind is a kind of failure. Kinds and codes are a contract with scripts.
type kind struct {
	name string
	code int
}

var (
	kindOther       = kind{"other", 1}
	kindUsage       = kind{"usage", 2}
	kindPort        = kind{"port", 3}
	kindNoReply     = kind{"no-reply", 4}
	kindRefused     = kind{"refused", 5}
	kindImage       = kind{"image", 6}
	kindNotRunning  = kind{"not-running", 7}
	kindInterrupted = kind{"interrupted", 130}
)

var (
	errInterrupted = errors.New("interrupted")
	errNoCommand   = errors.New("a command is missing")
)

// usageError is a mistake in the command line that shows only once the body runs.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return asUsage(fmt.Errorf(format, args...)) }

// asUsage makes an error a mistake in the command line.
func asUsage(err error) error { return usageError{err} }

// imageError is a file that is not usable for what was asked, beyond what package image says.
type imageError struct{ error }

func (e imageError) Unwrap() error { return e.error }

// asImage makes an error one of the file.
func asImage(err error) error { return imageError{err} }

func unknownCommand(cmd *cobra.Command, name string) error {
	return usage("unknown command %q for %q", name, cmd.CommandPath())
}

// kindError is an error that says its kind itself, and needs no hint.
type kindError struct {
	kind kind
	error
}

func (e *kindError) Unwrap() error { return e.error }

// withKind gives an error its kind.
func withKind(k kind, err error) error { return &kindError{k, err} }

// kindOf maps an error to its kind: the only place that does.
func kindOf(ctx context.Context, err error) kind {
	var (
		bug        *bugError
		wrongUsage usageError
		address    *transport.AddressError
		running    *dfu.NotRunningError
		refused    *smp.DeviceError
		unfit      *dfu.UnfitError
		state      *dfu.StateError
		outside    *dfu.BootloaderError
		undone     *dfu.UndoneError
		nonsense   *smp.ProtocolError
		file       *image.Error
		unusable   imageError
		open       *transport.OpenError
		own        *kindError
	)
	switch {
	case errors.As(err, &bug):
		return kindOther
	case errors.Is(context.Cause(ctx), errInterrupted), errors.Is(err, errInterrupted):
		return kindInterrupted
	case errors.As(err, &wrongUsage), errors.As(err, &address), errors.Is(err, image.ErrBadOption):
		return kindUsage
	case errors.As(err, &running):
		return kindNotRunning
	case errors.Is(err, dfu.ErrNotBack), errors.Is(err, smp.ErrStalled):
		return kindNoReply
	case errors.As(err, &own):
		return own.kind
	case errors.As(err, &refused), errors.As(err, &state), errors.As(err, &outside),
		errors.Is(err, smp.ErrInBootloader):
		return kindRefused
	case errors.As(err, &undone), errors.Is(err, smp.ErrNotListed): // it said yes and did not do it
		return kindRefused
	case errors.As(err, &file), errors.As(err, &unfit), errors.As(err, &unusable):
		return kindImage
	case errors.As(err, &open):
		return kindPort
	case errors.As(err, &nonsense):
		return kindOther
	case errors.Is(err, smp.ErrNoReply), errors.Is(err, smp.ErrClosed), errors.Is(err, transport.ErrDisconnected):
		return kindNoReply
	}
	return kindOther
}

// exit reports the error, if any, and returns the exit code.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	var status statusError
	if errors.As(err, &status) {
		return status.code() // the device's command has said why
	}
	if !a.began {
		err = asUsage(err)
	}
	k := kindOf(ctx, err)
	if k == kindInterrupted {
		err = errInterrupted
	}
	hint := hintFor(k, err, a.situation())
	if a.flags.json {
		a.jsonError(k, err, hint)
		return k.code
	}
	fmt.Fprintf(a.err, "smpctl: %v\n", err)
	if hint != "" {
		fmt.Fprintf(a.err, "hint: %s\n", hint)
	}
	return k.code
}

// jsonFailure is the shape of an error on standard error with --json.
type jsonFailure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Group   *int   `json:"group,omitempty"`
	Code    *int   `json:"code,omitempty"`
	Name    string `json:"name,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// situation is what this command has come to.
func (a *app) situation() situation {
	now := situation{reached: a.reached}
	if a.heard != nil {
		now.heard = a.heard()
	}
	return now
}

func (a *app) jsonError(k kind, err error, hint string) {
	f := jsonFailure{Kind: k.name, Message: err.Error(), Hint: hint}
	var refused *smp.DeviceError
	if errors.As(err, &refused) {
		f.Code, f.Name, f.Reason = &refused.Code, refused.Name(), refused.Reason
		if !refused.Global {
			group := int(refused.Group)
			f.Group = &group
		}
	}
	var running *dfu.NotRunningError
	if errors.As(err, &running) {
		f.Reason = string(running.Reason)
	}
	var file *image.Error
	if errors.As(err, &file) {
		f.Reason = string(file.Kind)
	}
	var reasoned interface{ reason() string }
	if errors.As(err, &reasoned) {
		f.Reason = reasoned.reason()
	}
	_ = json.NewEncoder(a.err).Encode(map[string]jsonFailure{"error": f})
}

// unanswered drops the error of a device that did answer: no, or something that makes no sense.
func unanswered(err error) error {
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

// situation is what a hint has to know besides the error.
type situation struct {
	reached bool   // the command had to do with a device
	heard   string // what came instead of an answer
}

// hintFor is what to do next, keyed on the kind of error; empty if nothing useful can be said.
func hintFor(k kind, err error, now situation) string {
	var choice *transport.ChoiceError
	var refused *smp.DeviceError
	var running *dfu.NotRunningError
	var own *kindError
	var undone *dfu.UndoneError
	var hinted *hintedError
	var bug *bugError
	if errors.As(err, &bug) {
		return bugHint
	}
	if errors.As(err, &hinted) {
		return hinted.hint
	}
	var outside *dfu.BootloaderError
	switch {
	case errors.As(err, &outside) && outside.Asked:
		return "hold the board's recovery button at the reset, or reset the board while smpctl recover waits for it " +
			"without --enter"
	case errors.As(err, &outside):
		return "--enter asks the application to reboot into the bootloader; or reset the board while the command waits"
	case errors.Is(err, smp.ErrInBootloader):
		return "smpctl recover uploads in the bootloader, which stays when it has no image to start; else smpctl " +
			"reset --wait leaves it"
	case k == kindUsage:
		return "smpctl --help, or smpctl COMMAND --help"
	case errors.As(err, &choice) && choice.Matched > 1:
		return "name one with -p PORT, or with -p usb:serial=… or usb:location=…; smpctl ports shows them"
	case errors.As(err, &choice):
		return "name the port with -p PORT; smpctl ports shows what is there, and -p sim: is a virtual device"
	case errors.Is(err, transport.ErrBusy):
		return "another program has the port open: a terminal, another smpctl, ModemManager"
	case k == kindPort && errors.Is(err, fs.ErrPermission):
		return "your user may not open the port; on Linux it usually needs the group dialout or uucp"
	case k == kindPort && errors.Is(err, fs.ErrNotExist):
		return "smpctl ports shows the ports that are there"
	case errors.Is(err, image.ErrEncrypted):
		return "smpctl verify --decrypt KEY.pem checks all of it, where the device's key is at hand"
	case errors.As(err, &refused):
		return refusalHint(refused)
	case errors.As(err, &undone), errors.Is(err, smp.ErrNotListed):
		return "smpctl image list shows what the device has now, and smpctl bootloader how its bootloader chooses"
	case errors.Is(err, smp.ErrFileDiffers):
		return "copy it again; if that does not help, the firmware changes the file, or its file system is full"
	case errors.As(err, &running):
		return runningHint(running, saidBy(err))
	case errors.As(err, &own):
		return ""
	case k == kindNoReply && errors.Is(err, transport.ErrDisconnected):
		return "the port went away; the same command picks up where the device is"
	case errors.Is(err, dfu.ErrNotBack):
		return now.heard + notBackHint
	case k == kindNoReply:
		return now.heard + noReplyHint
	case k == kindInterrupted && now.reached:
		return "the same command picks up where the device is"
	}
	return ""
}

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
	case e.Reason == dfu.Rejected && namesOther(said):
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
