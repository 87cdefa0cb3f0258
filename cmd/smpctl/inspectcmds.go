package main

import (
	"github.com/spf13/cobra"
)

// inspectCommands are the commands of this package.
func inspectCommands(a *app) []*cobra.Command {
	return []*cobra.Command{inspectCommand(a), verifyCommand(a), packageCommand(a)}
}
