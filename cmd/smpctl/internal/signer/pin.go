package signer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

const maxPIN = 1 << 10 // bytes of a file with a PIN

// pin gives the PIN of a token: from what the URI names, else from the variable, else from the terminal. Never from a
// command line, which everyone on the machine can read.
func (t *tokenSigner) pin(ctx context.Context, a tokenAnswer) (string, error) {
	text, source, err := t.storedPIN()
	switch {
	case err != nil:
		return "", &failed{"", "pin", err}
	case source != "" && a.LastTry:
		return "", &failed{"", "pin-last-try", fmt.Errorf(
			"token %q: one more wrong PIN locks it, so the one from %s is not tried: log in once by hand",
			a.Token, source)}
	case source != "":
		return text, nil
	}
	prompt := fmt.Sprintf("PIN of token %q: ", a.Token)
	if a.LastTry {
		prompt = fmt.Sprintf("PIN of token %q (a wrong one locks it): ", a.Token)
	}
	pin, err := t.secrets.Ask(ctx, prompt)
	if err != nil {
		return "", &failed{"", "pin",
			fmt.Errorf("token %q wants a PIN: add pin-source=file:PATH to the URI, or set %s: %w",
				a.Token, child.PINVariable, err)}
	}
	return string(pin), nil
}

// storedPIN gives a PIN and the source that it is from, both empty if there is none.
func (t *tokenSigner) storedPIN() (pin, source string, err error) {
	switch source := t.uri.pinSource; {
	case source != "":
		pin, err := t.readPIN(source)
		return pin, "pin-source", err
	default:
		if pin, ok := t.secrets.Env(child.PINVariable); ok && pin != "" {
			return pin, child.PINVariable, nil
		}
		return "", "", nil
	}
}

// secrets are the variables that the URI takes the PIN from.
func (u pkcs11URI) secrets() []string {
	if name, ok := strings.CutPrefix(u.pinSource, "env:"); ok {
		return []string{name}
	}
	return nil
}

// readPIN reads a PIN from file:PATH, a path, or env:NAME.
func (t *tokenSigner) readPIN(source string) (string, error) {
	if name, ok := strings.CutPrefix(source, "env:"); ok {
		if pin, ok := t.secrets.Env(name); ok && pin != "" {
			return pin, nil
		}
		return "", fmt.Errorf("pin-source: the variable %s is not set", name)
	}
	path := source
	switch {
	case strings.HasPrefix(source, "|"):
		return "", errors.New("pin-source: a command is not supported: use file:PATH or env:NAME")
	case strings.HasPrefix(source, "file:"):
		u, err := url.Parse(source)
		if err != nil || u.Host != "" && u.Host != "localhost" {
			return "", fmt.Errorf("pin-source %q: want file:PATH", source)
		}
		path = u.Path + u.Opaque
	}
	data, err := files.Read(path, maxPIN)
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	pin := strings.TrimRight(string(data), "\r\n")
	if pin == "" {
		return "", fmt.Errorf("pin-source: %s: is empty", path)
	}
	return pin, nil
}
