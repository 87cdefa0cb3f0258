package failure

import (
	"fmt"
)

// StatusError is the failure of a command on the device, which has printed its reason itself. Its exit status becomes
// ours.
type StatusError int

func (e StatusError) Error() string {
	return fmt.Sprintf("the device's command failed with status %d", int(e))
}

// Code is the exit code.
func (e StatusError) Code() int {
	if code := int(e) & 0xff; code != 0 {
		return code
	}
	return kindOther.Code
}
