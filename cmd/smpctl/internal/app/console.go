package app

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// ConsoleFlag is the flag whose value may be missing, or stand behind a space.
const ConsoleFlag = "console"

// portLike reports whether a text has the form of a port or an address: a name of a file to send never looks so.
func portLike(s string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(s), ":")
	digits, com := strings.CutPrefix(scheme, "com")
	return strings.HasPrefix(s, "/dev/") || ok && slices.Contains([]string{"usb", "tcp", "udp", "sim"}, scheme) ||
		com && !ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// joinConsole makes one argument of --console PORT, whose value pflag only takes behind =. What follows is the port
// only if it has the form of one and is no file: upgrade --console app.bin shows what comes from the command's port.
func joinConsole(root *cobra.Command, args []string) []string {
	i := slices.Index(args, "--"+ConsoleFlag)
	if i < 0 || i+1 >= len(args) || slices.Contains(args[:i], "--") || !portLike(args[i+1]) {
		return args
	}
	if info, err := os.Stat(args[i+1]); err == nil && info.Mode().IsRegular() {
		return args
	}
	if cmd, _, err := root.Find(args); err != nil || cmd.Flags().Lookup(ConsoleFlag) == nil {
		return args // it is for somebody else, such as a command of the device's shell
	}
	joined := strings.Join(args[i:i+2], "=")
	return slices.Concat(args[:i], []string{joined}, args[i+2:])
}
