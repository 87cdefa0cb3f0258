package boards

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp"
)

// Source says where the identity of a board comes from: the flag --id, and id of a station. The zero value is the USB
// serial number.
type Source struct{ kind, argument string }

// The kinds of sources. All but the first and label need an argument.
const (
	fromUSB      = "usb"
	fromShell    = "shell"
	fromSettings = "settings"
	fromOSInfo   = "os-info"
	fromLabel    = "label"
	fromCommand  = "command"
)

var sourceKinds = []string{fromUSB, fromShell, fromSettings, fromOSInfo, fromLabel, fromCommand}

// Set reads KIND or KIND:ARGUMENT.
func (s *Source) Set(text string) error {
	kind, argument, found := strings.Cut(text, ":")
	bare := kind == fromUSB || kind == fromLabel
	switch {
	case !slices.Contains(sourceKinds, kind):
		return errors.New("want " + human.Or(Sources()))
	case bare && found:
		return fmt.Errorf("%s takes no argument", kind)
	case !bare && strings.TrimSpace(argument) == "":
		return fmt.Errorf("%s: what to ask is missing: %s", kind, Sources()[slices.Index(sourceKinds, kind)])
	}
	*s = Source{kind, argument}
	return nil
}

// Sources lists the forms of a source.
func Sources() []string {
	return []string{fromUSB, "shell:COMMAND", "settings:NAME", "os-info:FORMAT", fromLabel, "command:CMD"}
}

func (s *Source) String() string {
	if s.argument != "" {
		return s.kind + ":" + s.argument
	}
	return s.kind
}

func (s *Source) Type() string { return "source" }

// Kind is the source without its argument, as records name it.
func (s Source) Kind() string {
	if s.kind == "" {
		return fromUSB
	}
	return s.kind
}

// Labelled reports whether the identity is what somebody scanned: nothing is asked.
func (s Source) Labelled() bool { return s.kind == fromLabel }

// Asked reports whether the board itself says its identity, or a program does.
func (s Source) Asked() bool { return s.Kind() != fromUSB && !s.Labelled() }

// identityTime is how long a program may take to name a board.
const identityTime = time.Minute

// ask finds the identity of the board that the flags of a mean; it waits for the port, as long as these say.
func (s Source) ask(ctx context.Context, a *app.App, port string) (string, error) {
	var id string
	var err error
	if s.kind == fromCommand {
		id, err = s.askProgram(ctx, a, port)
	} else {
		defer func(file string) { a.Flags.Trace = file }(a.Flags.Trace)
		a.Flags.Trace = "" // it is for the work
		_, err = device.With(ctx, a, func(c *smp.Client) (_ app.Result, err error) {
			id, err = s.askBoard(ctx, c)
			return nil, err
		})
	}
	if err != nil {
		return "", fmt.Errorf("identity (%s): %w", s.String(), err)
	}
	if err := CheckIdentity(id); err != nil {
		return "", fmt.Errorf("identity (%s): %w", s.String(), err)
	}
	return id, nil
}

// askBoard asks the board itself.
func (s Source) askBoard(ctx context.Context, c *smp.Client) (string, error) {
	switch s.kind {
	case fromShell:
		r, err := c.Shell.Exec(ctx, s.argument)
		if err == nil && r.Status != 0 {
			err = failure.StatusError(r.Status).Refusal()
		}
		return lastWord(r.Output), err
	case fromSettings:
		value, err := c.Settings.Get(ctx, s.argument)
		return settingText(value), err
	default:
		text, err := c.OS.Info(ctx, s.argument)
		return strings.TrimSpace(text), err
	}
}

// steering matches what a shell sends to colour its text (ECMA-48: SGR).
var steering = regexp.MustCompile("\x1b\\[[0-9;]*m")

// lastWord is the last word of what a shell printed: "Length: 12\nID: 0x3132" of "hwinfo devid" names a board 0x3132.
func lastWord(output string) string {
	words := strings.Fields(steering.ReplaceAllString(output, ""))
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// settingText is a value as text, with or without the zero that ends one in C; any other value is its hexadecimal
// digits.
func settingText(value []byte) string {
	text := strings.TrimRight(string(value), "\x00")
	if CheckIdentity(text) != nil && len(value) > 0 {
		return hex.EncodeToString(value)
	}
	return text
}

// askProgram asks a program of the user, which prints the identity.
func (s Source) askProgram(ctx context.Context, a *app.App, port string) (string, error) {
	said := a.Quoter(app.FromIdentity)
	defer said.Close()
	var out head
	p := program{command: s.argument, limit: identityTime, told: []string{device.PortVariable + "=" + port}}
	if _, err := p.run(ctx, &out, said); err != nil {
		return "", err
	}
	return strings.TrimSpace(out.kept.String()), nil
}

// head keeps the beginning of a text, which is enough to see that it is too long.
type head struct{ kept bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	const most = 4 * maxIdentity
	h.kept.Write(p[:min(len(p), max(0, most-h.kept.Len()))])
	return len(p), nil
}

// maxIdentity is how many characters the identity of a board may have.
const maxIdentity = 128

// CheckIdentity refuses what cannot name a board.
func CheckIdentity(id string) error {
	switch {
	case id == "":
		return errors.New("nothing is there")
	case utf8.RuneCountInString(id) > maxIdentity:
		return fmt.Errorf("is longer than %d characters", maxIdentity)
	case !utf8.ValidString(id), strings.ContainsFunc(id, screen.Unprintable), strings.ContainsAny(id, "\n\t"):
		return fmt.Errorf("%q is not one line of text", id)
	}
	return nil
}
