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
// error: the first word, if that is a plain path. Names may be cmd's own.
func LookUp(_ context.Context, command string) error {
	word, _, _ := strings.Cut(strings.TrimLeft(command, " \t"), " ")
	if !strings.ContainsAny(word, `\/`) || strings.ContainsAny(word, `"%^&|<>()@!,;=`) {
		return nil
	}
	if _, err := exec.LookPath(word); err == nil {
		return nil
	}
	if _, err := os.Stat(word); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no such file", word)
	}
	return nil
}
