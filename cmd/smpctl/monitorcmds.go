package main

import (
	"github.com/spf13/cobra"
)

// monitorCommands are the commands of this package.
func monitorCommands(a *app) []*cobra.Command {
	return []*cobra.Command{monitorCommand(a)}
}
