package records

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

// Commands are the commands of this package.
func Commands(a *app.App) []*cobra.Command {
	cmd := &cobra.Command{
		Use:        "records",
		SuggestFor: []string{"record", "journal", "history"},
		Short:      "Look into records of boards, and send them",
		Long: `Look into the records that upgrade --record and station keep of each board, check them, and send
them. They are text in a folder: one line for each board when its turn begins, and one when it ends.`,
		RunE: app.NeedsCommand,
	}
	cmd.AddCommand(listCommand(a), showCommand(a), resolveCommand(a), verifyCommand(a), exportCommand(a),
		reportCommand(a), sendCommand(a), schemaCommand(a))
	return []*cobra.Command{cmd}
}
