package signer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/child"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/image/key"
)

// tokenSigner has a key in a PKCS#11 token sign. A module is a shared library, which this static binary cannot load, so
// the program smpctl-pkcs11 does; its documentation has the exchange.
type tokenSigner struct {
	uri     pkcs11URI
	limit   time.Duration // for everything, a PIN typed by hand included
	secrets secret.Source
	note    func(text string)
}

// The variables that say where the helper and the module are.
const (
	helperVariable = "SMPCTL_PKCS11"
	moduleVariable = "SMPCTL_PKCS11_MODULE"
	helperName     = "smpctl-pkcs11"
)

// TokenRequest is the first line to the helper.
type TokenRequest struct {
	Protocol     int     `json:"protocol"`
	Module       string  `json:"module"`
	Token        string  `json:"token,omitempty"`
	Manufacturer string  `json:"manufacturer,omitempty"`
	Serial       string  `json:"serial,omitempty"`
	Model        string  `json:"model,omitempty"`
	SlotID       *uint32 `json:"slot_id,omitempty"`
	Object       string  `json:"object,omitempty"`
	ID           []byte  `json:"id,omitempty"`
	Input        string  `json:"input"`
	Hash         string  `json:"hash"`
	Data         []byte  `json:"data"`
	PublicKey    []byte  `json:"public_key"`
}

// tokenAnswer is a line from the helper.
type tokenAnswer struct {
	Need      string        `json:"need"`
	Token     string        `json:"token"`
	LastTry   bool          `json:"last_try"`
	Signature []byte        `json:"signature"`
	Error     *tokenFailure `json:"error"`
}

type tokenFailure struct {
	Reason    string `json:"reason"`
	Message   string `json:"message"`
	PublicKey []byte `json:"public_key"`
}

func (t *tokenSigner) sign(parent context.Context, j job) ([]byte, error) {
	path, err := findHelper(t.secrets.Env)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(parent, t.limit)
	defer cancel()
	said := &notes{show: t.note}
	cmd := exec.CommandContext(ctx, path)
	child.MayAsk(cmd)
	cmd.Env = child.WithoutSecrets(os.Environ(), t.uri.secrets()...)
	cmd.Stderr = said
	cmd.WaitDelay = child.Grace
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, &failed{t.uri.String(), "helper-missing",
			fmt.Errorf("%s %s: %w", helperName, path, cutPath(err))}
	}
	// Children of the helper may hold its ends of the pipes open when it is gone.
	context.AfterFunc(ctx, func() { _, _ = in.Close(), out.Close() })
	signature, err := t.converse(ctx, in, out, j)
	late := errors.Is(ctx.Err(), context.DeadlineExceeded)
	_ = in.Close()
	if err != nil {
		cancel()
	}
	// Modules that hang or crash on their way out have signed all the same.
	defer time.AfterFunc(child.Grace, cancel).Stop()
	_ = cmd.Wait()
	if ctx.Err() != nil {
		child.KillGroup(cmd)
	}
	said.flush()
	switch {
	case err == nil:
		return signature, nil
	case parent.Err() != nil:
		return nil, parent.Err()
	case late:
		err = &failed{"", "timeout", fmt.Errorf("no signature within %s (--signer-timeout)", human.Span(t.limit))}
	}
	return nil, t.explain(err, said.last)
}

// converse holds the exchange with the helper.
func (t *tokenSigner) converse(ctx context.Context, in io.Writer, out io.Reader, j job) ([]byte, error) {
	if err := json.NewEncoder(in).Encode(t.request(j)); err != nil {
		return nil, errNoAnswer
	}
	answers := bufio.NewScanner(io.LimitReader(out, maxOutput))
	for answers.Scan() {
		line := answers.Bytes()
		if !bytes.HasPrefix(line, []byte("{")) {
			continue // a module that prints
		}
		var a tokenAnswer
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("%s: not an answer: %w", helperName, err)
		}
		switch {
		case a.Error != nil:
			return nil, a.Error.error(j)
		case a.Need == "pin":
			pin, err := t.pin(ctx, a)
			if err != nil {
				return nil, err
			}
			if err := json.NewEncoder(in).Encode(map[string]string{"pin": pin}); err != nil {
				return nil, errNoAnswer
			}
		case len(a.Signature) > 0:
			return a.Signature, nil
		}
	}
	return nil, errNoAnswer
}

func (t *tokenSigner) request(j job) TokenRequest {
	u := t.uri
	module := u.module
	if module == "" {
		module, _ = t.secrets.Env(moduleVariable)
	}
	return TokenRequest{
		Protocol: 1, Module: module, Token: u.token, Manufacturer: u.manufacturer, Serial: u.serial, Model: u.model,
		SlotID: u.slotID,
		Object: u.object, ID: u.id, Input: string(j.input), Hash: j.hash, Data: j.data, PublicKey: j.public,
	}
}

// errNoAnswer is a helper that ended in the middle, most likely because the module crashed.
var errNoAnswer = errors.New(helperName + " ended without an answer")

// explain puts the key in front of the cause.
func (t *tokenSigner) explain(err error, last string) error {
	var known *failed
	var file failure.ImageError
	switch {
	case errors.As(err, &known):
		known.signer = t.uri.String()
		return known
	case errors.As(err, &file):
		return failure.AsImage(fmt.Errorf("%s: %w", t.uri, errors.Unwrap(file)))
	case last != "":
		err = fmt.Errorf("%w: %s", err, last)
	}
	return &failed{t.uri.String(), "helper", err}
}

// error is what the user reads. That the token has another key than the expected one makes the image unusable; the rest
// concerns the token only.
func (f *tokenFailure) error(j job) error {
	if f.Reason != "key-mismatch" {
		return &failed{"", f.Reason, errors.New(f.Message)}
	}
	pub, err := x509.ParsePKIXPublicKey(f.PublicKey)
	if err != nil {
		return failure.AsImage(errors.New(f.Message))
	}
	hash, err := key.Hash(pub, j.hashType)
	if err != nil {
		return failure.AsImage(errors.New(f.Message))
	}
	return failure.AsImage(fmt.Errorf("%s: it is %x…, wanted is %x…", f.Message, hash[:4], j.keyHash[:4]))
}

// findHelper looks for the helper: where the variable says, beside this program, on the path.
func findHelper(env func(string) (string, bool)) (string, error) {
	if path, ok := env(helperVariable); ok && path != "" {
		return path, nil
	}
	name := helperName
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", &failed{"pkcs11", "helper-missing", fmt.Errorf(
		"the program %s is not there: put it beside smpctl or on the path, or name it in %s; it is built with cgo "+
			"from cmd/%s", helperName, helperVariable, helperName)}
}

func cutPath(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
