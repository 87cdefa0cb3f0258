//go:build !windows

package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// Shell has the system's shell run a command line of the user.
func Shell(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "/bin/sh", "-c", command)
}

// MayAsk makes the end of a command the end of its children too, by a process group. Not on a terminal: a command in a
// group of its own could not ask for a PIN there, and Ctrl-C reaches all of them anyway.
func MayAsk(cmd *exec.Cmd) {
	if tty, err := os.Open("/dev/tty"); err == nil {
		tty.Close()
		return
	}
	InBackground(cmd)
}

// InBackground does so on a terminal too, from which such a command cannot read: it gets an error instead of being
// stopped.
func InBackground(cmd *exec.Cmd) {
	signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) // which the command inherits
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGTERM) }
}

// KillGroup ends what is left of a command that has a group of its own. It is harmless if nothing is.
func KillGroup(cmd *exec.Cmd) {
	if cmd.Process != nil && cmd.SysProcAttr != nil && cmd.SysProcAttr.Setpgid {
		_ = signalGroup(cmd, syscall.SIGKILL)
	}
}

func signalGroup(cmd *exec.Cmd, s syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
