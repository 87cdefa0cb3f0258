//go:build !windows

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSignerInterrupted ends a command and its children when the user gives up.
func TestSignerInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{streams: streams{err: writerFunc(func([]byte) { cancel() })}}
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
	a := &app{
		streams: streams{err: writerFunc(func([]byte) { cancel() })},
		env:     func(name string) (string, bool) { return helper, name == helperVariable },
	}
	s := &tokenSigner{a, pkcs11URI{}, time.Minute}
	if _, err := s.sign(ctx, signing{}); !errors.Is(err, context.Canceled) {
		t.Errorf("sign: %v, want %v", err, context.Canceled)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
