package main

import (
	"github.com/spf13/cobra"
)

// connCommands are the commands of this package.
func connCommands(a *app) []*cobra.Command {
	return []*cobra.Command{portsCommand(a), connCommand(a)}
}
