//go:build !windows

package signer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
)

// TestSignerInterrupted ends a command and its children when the user gives up.
func TestSignerInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &commandSigner{"echo started >&2; sleep 60 & sleep 60", time.Minute, func(string) { cancel() }}
	if _, err := s.sign(ctx, job{}); !errors.Is(err, context.Canceled) {
		t.Errorf("sign: %v, want %v", err, context.Canceled)
	}
}

// TestTokenInterrupted does the same to a helper that waits for its module.
func TestTokenInterrupted(t *testing.T) {
	helper := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\necho started >&2\nexec sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &tokenSigner{pkcs11URI{}, time.Minute, helperAt(helper), func(string) { cancel() }}
	if _, err := s.sign(ctx, job{}); !errors.Is(err, context.Canceled) {
		t.Errorf("sign: %v, want %v", err, context.Canceled)
	}
}

// TestTokenSecrets gives the helper no secret but what it asks for: it loads code of others.
func TestTokenSecrets(t *testing.T) {
	t.Setenv(child.PINVariable, "1234")
	t.Setenv(child.PassphraseVariable, "secret")
	t.Setenv("MY_PIN", "5678")
	helper := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\necho begins >&2\nenv | grep -E '1234|secret|5678' >&2\n"),
		0o700); err != nil {
		t.Fatal(err)
	}
	var said []string
	s := &tokenSigner{pkcs11URI{pinSource: "env:MY_PIN"}, time.Minute, helperAt(helper),
		func(text string) { said = append(said, text) }}
	_, _ = s.sign(t.Context(), job{})
	if !slices.Equal(said, []string{"begins"}) {
		t.Errorf("the helper sees %q", said)
	}
}

// helperAt has the program found at a path.
func helperAt(path string) secret.Source {
	return secret.Source{Env: func(name string) (string, bool) { return path, name == helperVariable }}
}
