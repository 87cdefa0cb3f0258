//go:build !windows

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// hostShell has the system's shell run a command line of the user.
func hostShell(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "/bin/sh", "-c", command)
}

// ownGroup makes the end of a command the end of its children too. Not on a terminal: a command in a group of its own could not ask
// for a PIN there, and Ctrl-C reaches all of them anyway.
func ownGroup(cmd *exec.Cmd) {
	if tty, err := os.Open("/dev/tty"); err == nil {
		tty.Close()
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}
