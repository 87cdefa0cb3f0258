package failure

import (
	"errors"
	"strings"
	"syscall"
)

// Text is what an error says, in the same words on every system: Windows has its own for what hinders a file, in the
// user's language.
func Text(err error) string {
	text := err.Error()
	var code syscall.Errno
	if !errors.As(err, &code) {
		return text
	}
	if words := wordsFor(code); words != "" {
		text = strings.ReplaceAll(text, code.Error(), words)
	}
	return text
}
