package child

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Grace is how long a command that is to end has for it, and how long its output is waited for when it ended.
const Grace = 2 * time.Second

// Run runs a command of the user until it ends. If ctx ends first, all of the command ends: with a word first, and what
// is deaf after [Grace].
func Run(ctx context.Context, cmd *exec.Cmd) error {
	cmd.WaitDelay = Grace
	err := cmd.Run()
	if ctx.Err() != nil {
		KillGroup(cmd)
	}
	return err
}

// The environment variables with secrets, which are for this program alone.
const (
	PINVariable        = "SMPCTL_PIN"
	PassphraseVariable = "SMPCTL_PASSPHRASE"
)

var secretVariables = []string{PINVariable, PassphraseVariable}

// Environment is the environment of a command of the user, with what it is told in more: all of ours but the
// secrets.
func Environment(more ...string) []string { return append(WithoutSecrets(os.Environ()), more...) }

// WithoutSecrets leaves secrets out, those of the user's own names too.
func WithoutSecrets(environment []string, own ...string) []string {
	secrets := append(own, secretVariables...)
	return slices.DeleteFunc(environment, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		same := func(secret string) bool { return strings.EqualFold(secret, name) } // Windows ignores the case
		return slices.ContainsFunc(secrets, same)
	})
}
