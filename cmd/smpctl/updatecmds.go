package main

import (
	"github.com/spf13/cobra"
)

// updateCommands are the commands of this package.
func updateCommands(a *app) []*cobra.Command {
	return []*cobra.Command{upgradeCommand(a), recoverCommand(a), imageCommand(a), resetCommand(a)}
}
