// Package records has the commands of records: what smpctl did with which board.
package records

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

// Commands are the commands of this package.
func Commands(a *app.App) []*cobra.Command {
	cmd := &cobra.Command{
		Use:   "records",
		Short: "Look into records of boards, and send them",
		Long:  "Look into the records that upgrade --record and station keep of each board, and send them.",
		RunE:  app.NeedsCommand,
	}
	cmd.AddCommand(sendCommand(a), schemaCommand(a))
	return []*cobra.Command{cmd}
}
