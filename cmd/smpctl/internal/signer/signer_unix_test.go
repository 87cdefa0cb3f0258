//go:build !windows

package signer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestSignerInterrupted ends a command and its children when the user gives up.
func TestSignerInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := &app.App{Streams: app.Streams{Err: clitest.WriterFunc(func([]byte) { cancel() })}}
	s := &commandSigner{a, "echo started >&2; sleep 60 & sleep 60", time.Minute}
	if _, err := s.sign(ctx, signing{}); !errors.Is(err, context.Canceled) {
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
	a := &app.App{
		Streams: app.Streams{Err: clitest.WriterFunc(func([]byte) { cancel() })},
		Env:     func(name string) (string, bool) { return helper, name == helperVariable },
	}
	s := &tokenSigner{a, pkcs11URI{}, time.Minute}
	if _, err := s.sign(ctx, signing{}); !errors.Is(err, context.Canceled) {
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
	var said bytes.Buffer
	a := &app.App{Streams: app.Streams{Err: &said},
		Env: func(name string) (string, bool) { return helper, name == helperVariable }}
	s := &tokenSigner{a, pkcs11URI{pinSource: "env:MY_PIN"}, time.Minute}
	_, _ = s.sign(t.Context(), signing{})
	if got := said.String(); got != "signer: begins\n" {
		t.Errorf("the helper sees %q", got)
	}
}
