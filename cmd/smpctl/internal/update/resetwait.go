package update

import (
	"errors"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/cobra"
)

// waitFlag is --wait of reset, with a time or without: --wait, --wait 30, --wait=30. As a switch it can be turned off
// again, with --wait=false.
type waitFlag struct {
	back  bool         // wait until the device answers again
	limit app.WaitTime // for that, and for a port that is not there yet; 0: fail at once
	bare  bool         // it stood without a time
}

// bareWait is the value of --wait without one.
var bareWait = dfu.DefaultWait.String()

func (w *waitFlag) Set(text string) error {
	switch text {
	case "true", "false":
		w.back, w.limit = text == "true", app.WaitTime(dfu.DefaultWait)
		return nil
	}
	if w.limit.Set(text) != nil {
		return errors.New("want seconds, as 2.5, or a duration, as 500ms, of at most a day, or nothing")
	}
	w.back, w.bare = w.limit > 0, text == bareWait
	return nil
}

func (w *waitFlag) String() string {
	if !w.back {
		return ""
	}
	return w.limit.String()
}

func (w *waitFlag) Type() string { return "time" }

// takeArgument takes the only argument for the time of a --wait that stood without one.
func (w *waitFlag) takeArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && w.bare {
		if err := w.Set(args[0]); err != nil {
			return fmt.Errorf("--wait %s: %w", args[0], err)
		}
		return nil
	}
	return app.Takes(0, 0)(cmd, args)
}
