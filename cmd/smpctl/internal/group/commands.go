package group

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

// Commands are the commands of this package.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{
		infoCommand(a), enumCommand(a), rawCommand(a),
		echoCommand(a), paramsCommand(a), osInfoCommand(a), bootloaderCommand(a), taskstatCommand(a), mpstatCommand(a),
		datetimeCommand(a),
		statCommand(a), settingsCommand(a), configCommand(a), fsCommand(a), shellCommand(a), zephyrCommand(a),
		logCommand(a), runCommand(a), crashCommand(a),
	}
}
