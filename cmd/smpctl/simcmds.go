package main

import (
	"github.com/spf13/cobra"
)

// simCommands are the commands of this package.
func simCommands(a *app) []*cobra.Command {
	return []*cobra.Command{simCommand(a)}
}
