package main

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// childGrace is how long a command that is to end has for it, and how long its output is waited for when it ended.
const childGrace = 2 * time.Second

// runWhole runs a command of the user, and if ctx ends, ends all of it: with a word first, and what is deaf after
// childGrace.
func runWhole(ctx context.Context, cmd *exec.Cmd) error {
	cmd.WaitDelay = childGrace
	err := cmd.Run()
	if ctx.Err() != nil {
		killGroup(cmd)
	}
	return err
}

// Environment variables with secrets, which are for this program alone.
const (
	pinVariable        = "SMPCTL_PIN"
	passphraseVariable = "SMPCTL_PASSPHRASE"
)

var secretVariables = []string{pinVariable, passphraseVariable}

// childEnvironment is the environment of a command of the user, with what it is told in more: all of ours but the
// secrets.
func childEnvironment(more ...string) []string { return append(withoutSecrets(os.Environ()), more...) }

// withoutSecrets leaves secrets out, those of the user's own names too.
func withoutSecrets(environment []string, own ...string) []string {
	secrets := append(own, secretVariables...)
	return slices.DeleteFunc(environment, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		same := func(secret string) bool { return strings.EqualFold(secret, name) } // Windows ignores the case
		return slices.ContainsFunc(secrets, same)
	})
}
