package child

import (
	"context"
	"os/exec"
	"strconv"
	"syscall"
)

// Shell has cmd run a command line of the user. It gets the line as it is: cmd does not know the escapes that Go
// would add.
func Shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /S /C "` + command + `"`}
	return cmd
}

// MayAsk makes the end of a command the end of its children too.
func MayAsk(cmd *exec.Cmd) { InBackground(cmd) }

// InBackground does the same: here a command may read from the console all the same.
func InBackground(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		if err := exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run(); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
}

// KillGroup has nothing left to do.
func KillGroup(*exec.Cmd) {}
