package failure

import (
	"errors"
	"fmt"
)

// StatusError is the failure of a command on the device, which has printed its reason itself. As with ssh, its exit
// status becomes ours and nothing more is said.
type StatusError int

func (e StatusError) Error() string {
	return fmt.Sprintf("the device's command failed with status %d", int(e))
}

// Code is the exit code: the status modulo 256, as a shell has it, so that an errno such as -22 is 234; and 1 where
// that would be success.
func (e StatusError) Code() int {
	if code := int(e) & 0xff; code != 0 {
		return code
	}
	return kindOther.Code
}

// Refusal is the same failure in our own words and with a code of ours, for programs that have the status already.
func (e StatusError) Refusal() error { return WithKind(kindRefused, errors.New(e.Error())) }

// Refused makes an error one of a device that is not what it has to be.
func Refused(err error) error { return WithKind(kindRefused, err) }
