package device

import (
	"context"
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
)

// explainTime is how long a failing command may take longer to find out why.
const explainTime = 5 * time.Second

// explained adds to the refusal of a command that the device does not have that it is in its bootloader, if it is.
func explained(ctx context.Context, c *smp.Client, err error) error {
	if !smp.IsUnsupported(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	if firmware, _, failed := c.Who(ctx); failed != nil || firmware != smp.SerialRecovery {
		return err
	}
	return failure.WithHint(fmt.Errorf("%w: the device is in its bootloader", err),
		view.RecoveryName+" has few commands; smpctl reset leaves it")
}
