package main

import (
	"github.com/spf13/cobra"
)

// signingCommands are the commands of this package.
func signingCommands(a *app) []*cobra.Command {
	return []*cobra.Command{signCommand(a), keyCommand(a)}
}
