package app_test

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result, and of everything that can stand on standard error.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: app.BytesResult{}, Keys: "[]"},
		{Document: app.TextResult{}, Keys: "text"},
		{Document: app.Failure{}, Keys: "kind message group? code? name? heard? reason? hint?"},
		{Document: app.ErrorEvent{}, Event: "error", Keys: "error"},
		{Document: app.StepEvent{}, Event: "step", Keys: "event step phase seconds text? image?"},
		{Document: app.ProgressEvent{}, Event: "progress", Keys: "event step done total in_flight seconds"},
		{Document: app.TextEvent{}, Event: "console", Keys: "event text"},
		{Document: app.TextEvent{}, Event: "check", Keys: "event text"},
		{Document: app.TextEvent{}, Event: "before", Keys: "event text"},
		{Document: app.TextEvent{}, Event: "after", Keys: "event text"},
		{Document: app.TextEvent{}, Event: "identity", Keys: "event text"},
		{Document: app.TextEvent{}, Event: "signer", Keys: "event text"},
		{Document: app.TextEvent{}, Event: "note", Keys: "event text"},
		{Document: app.WaitingEvent{}, Event: "waiting", Keys: "event text seconds"},
		{Document: app.WarningEvent{}, Event: "warning", Keys: "event message"},
		{Document: app.LogEvent{}, Event: "log", Keys: "event level message attributes?"},
		{Document: app.PortEvent{}, Event: "gone", Keys: "event port seconds"},
		{Document: app.PortEvent{}, Event: "back", Keys: "event port seconds"},
		{Document: app.ReadyEvent{}, Event: "ready", Keys: "event port target?"},
		{Document: app.PageEvent{}, Event: "page", Keys: "event url"},
		{Document: app.SlotEvent{}, Event: "slot", Keys: "event slot state board? text? advice?"},
		{Document: app.MessageEvent{}, Event: "message", Keys: "event level text"},
	})
}
