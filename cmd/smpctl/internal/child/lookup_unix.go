//go:build !windows

package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// LookUp reports a command line of the user whose program is not there. Only what is certain before it runs is an
// error: the first word, if that is a plain path or name. It blocks for as long as the shell takes to start.
func LookUp(ctx context.Context, command string) error {
	word := firstWord(command)
	if word == "" {
		return nil
	}
	if strings.Contains(word, "/") {
		return lookAt(word)
	}
	cmd := Shell(ctx, "command -v "+word) // knows builtins too
	cmd.Env = Environment()
	var status *exec.ExitError
	if errors.As(cmd.Run(), &status) && status.Exited() {
		return fmt.Errorf("%s: there is no such command", word)
	}
	return nil
}

func lookAt(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such file", path)
	case err != nil:
		return nil // the shell may know better
	case info.IsDir():
		return fmt.Errorf("%s: is a directory", path)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s: is not executable (chmod +x %s)", path, path)
	}
	return nil
}

// Characters of a shell's command line (POSIX, Shell Command Language): those that stand for themselves, and those that
// end a word.
const (
	plainCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-@%,:="
	endsOfWord      = " \t\n;&|<>("
)

// firstWord is the word that names the program of a command line; empty if it takes a shell to tell.
func firstWord(command string) string {
	for {
		command = strings.TrimLeft(command, " \t\n")
		rest := strings.TrimLeft(command, plainCharacters)
		word := command[:len(command)-len(rest)]
		if word == "" || word[0] == '-' || rest != "" && !strings.Contains(endsOfWord, rest[:1]) {
			return ""
		}
		name, _, assigns := strings.Cut(word, "=")
		switch next := strings.TrimLeft(rest, " \t"); {
		case assigns && name != "PATH":
			command = rest
			continue
		case assigns:
			return "" // it decides what is found
		case strings.HasPrefix(next, "("):
			return "" // a function
		case strings.Trim(word, "0123456789") == "" && rest != "" && strings.Contains("<>", rest[:1]):
			return "" // a redirection
		}
		return word
	}
}
