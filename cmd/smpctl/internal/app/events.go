package app

import (
	"bytes"
	"encoding/json"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/smp/dfu"
)

// Event is a line on standard error with --json. These are all there are: whatever else stands there is one of them, or
// the error that ended the command. Their keys are a contract with scripts.
type Event interface{ event() }

// StepEvent is news of a step of an update.
type StepEvent struct {
	Event   string    `json:"event"`
	Step    string    `json:"step"` // as steps in the result name it; device before there are any
	Phase   dfu.Phase `json:"phase"`
	Seconds float64   `json:"seconds"` // how long the step took, once it has ended
	Text    string    `json:"text,omitempty"`
	Image   *int      `json:"image,omitempty"` // number of the image that the step is for, of several
}

// ProgressEvent is how far a transfer has come.
type ProgressEvent struct {
	Event    string  `json:"event"`
	Step     string  `json:"step"`
	Done     int     `json:"done"`
	Total    int     `json:"total"`
	InFlight int     `json:"in_flight"`
	Seconds  float64 `json:"seconds"`
}

// TextEvent is a line of somebody else, or of ours for people: its event says whose.
type TextEvent struct {
	Event string `json:"event"`
	Text  string `json:"text"`
}

// Whose text it is.
const (
	fromConsole  = "console"  // the device's
	FromCheck    = "check"    // of the command of --check
	FromBefore   = "before"   // of the command of --before
	FromAfter    = "after"    // of the command of --after
	FromIdentity = "identity" // of the command of --id
	FromSigner   = "signer"   // of a signer outside of this process
	ownNote      = "note"     // ours
)

// WaitingEvent is what the command waits for, once that takes a while.
type WaitingEvent struct {
	Event   string  `json:"event"`
	Text    string  `json:"text"`
	Seconds float64 `json:"seconds"` // so far
}

// WarningEvent is something that does not end the command.
type WarningEvent struct {
	Event   string `json:"event"`
	Message string `json:"message"`
}

// LogEvent is a line of the log, see --loglevel.
type LogEvent struct {
	Event      string         `json:"event"`
	Level      string         `json:"level"` // debug, info, warn or error
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes,omitempty"` // what the message is about
}

// PortEvent says that the port of a device went away, or that it is there again, for whoever follows it.
type PortEvent struct {
	Event   string  `json:"event"`
	Port    string  `json:"port"`    // that went, or that it came back as
	Seconds float64 `json:"seconds"` // how long it had been there, or away
}

// What became of a port.
const (
	PortGone = "gone"
	PortBack = "back"
)

// ReadyEvent says under which address a virtual device can be reached: at first, and again after each reset of a
// pseudo-terminal.
type ReadyEvent struct {
	Event  string `json:"event"`
	Port   string `json:"port"`             // as -p takes it; of several boards the folder that their bus is
	Target string `json:"target,omitempty"` // the pseudo-terminal that it leads to
}

// PageEvent says where the page of a station is.
type PageEvent struct {
	Event string `json:"event"`
	URL   string `json:"url"` // for a browser of this computer
}

// SlotEvent says what a slot of a station shows now.
type SlotEvent struct {
	Event  string `json:"event"`
	Slot   string `json:"slot"`
	State  string `json:"state"`            // empty, label, ready, working, pass, fail, unknown or closed
	Board  string `json:"board,omitempty"`  // label, and what names the board in it
	Text   string `json:"text,omitempty"`   // the kind of a failure, and what went wrong
	Advice string `json:"advice,omitempty"` // what to do now
}

// MessageEvent is a sentence for the operator of a station.
type MessageEvent struct {
	Event string `json:"event"`
	Level string `json:"level"` // info, warning or error
	Text  string `json:"text"`
}

// DownloadedEvent is the result of a download whose bytes are on standard output.
type DownloadedEvent[R Result] struct {
	Event  string `json:"event"`
	Result R      `json:"result"`
}

func (StepEvent) event()          {}
func (ProgressEvent) event()      {}
func (TextEvent) event()          {}
func (WaitingEvent) event()       {}
func (WarningEvent) event()       {}
func (LogEvent) event()           {}
func (PortEvent) event()          {}
func (ReadyEvent) event()         {}
func (PageEvent) event()          {}
func (SlotEvent) event()          {}
func (MessageEvent) event()       {}
func (DownloadedEvent[R]) event() {}

// Event prints a line of news for programs, with --json only.
func (a *App) Event(e Event) {
	if a.board != nil && a.board.watch != nil {
		a.board.watch(e)
	}
	if a.Flags.JSON && !a.Flags.Quiet {
		a.jsonLine(e)
	}
}

// jsonLine prints a line for programs.
func (a *App) jsonLine(v any) {
	line, err := encode(v)
	if err != nil {
		return // nothing of ours fails
	}
	if a.board != nil {
		line = a.board.mark(line)
	}
	_, _ = a.News.Write(line)
}

// encode makes one line of JSON, which neither steers a terminal nor escapes more than it has to.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(screen.EscapeJSON(b.String())), nil
}
