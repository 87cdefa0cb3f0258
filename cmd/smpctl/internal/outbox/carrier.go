package outbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// carrier brings lines to a target.
type carrier interface {
	// deliver returns nil once the target has taken all lines, which end with a newline each. Its errors are a refusal,
	// or a setback.
	deliver(ctx context.Context, lines []byte) error
	// rest lets go of what is kept for the next delivery.
	rest()
}

// Limits of one delivery.
const (
	connectTime = 10 * time.Second // to reach the target, its TLS included
	deliverTime = time.Minute      // for all of a delivery
	restTime    = 2 * time.Second  // to take leave
)

// refusal is a target that does not take lines, and will not take them later either.
type refusal struct {
	text string
	// ofLines says that it may be about single lines, or about how many there are: fewer may be taken.
	ofLines bool
	hint    string
}

func (e *refusal) Error() string { return e.text }

// setback is a target that may take the same lines later.
type setback struct {
	text  string
	after time.Duration // how long the target asks to be left alone; 0: it does not say
	err   error         // the cause; nil: the target's own words
	// lasting says that a person has to do something, here or there: seconds change nothing.
	lasting bool
}

// unreached is a delivery that failed on this side, or on the way.
func unreached(err error, secrets ...string) error {
	var certificate *tls.CertificateVerificationError
	return &setback{text: said(failure.Text(err), secrets...), err: err, lasting: errors.As(err, &certificate)}
}

func (e *setback) Error() string { return e.text }

func (e *setback) Unwrap() error { return e.err }

// maxSaid bounds what is shown of a target's words, in characters.
const maxSaid = 200

// said makes one short and harmless line of a target's words, in which the secrets do not stand.
func said(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
	if runes := []rune(text); len(runes) > maxSaid {
		text = string(runes[:maxSaid]) + "…"
	}
	return screen.Escape(text)
}

// RefusedError is a target that does not take a record. It will not take it later either: somebody has to look.
type RefusedError struct {
	Target      string // without secrets
	First, Last int64  // the lines, by their seq
	cause       *refusal
}

func (e *RefusedError) Error() string {
	lines := fmt.Sprintf("line %d", e.First)
	if e.Last > e.First {
		lines = fmt.Sprintf("lines %d to %d", e.First, e.Last)
	}
	return fmt.Sprintf("%s does not take %s: %s", e.Target, lines, e.cause.text)
}
