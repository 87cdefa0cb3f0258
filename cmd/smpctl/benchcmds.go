package main

import (
	"github.com/spf13/cobra"
)

// benchCommands are the commands of this package.
func benchCommands(a *app) []*cobra.Command {
	return []*cobra.Command{benchCommand(a)}
}
