package app_test

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: app.BytesResult{}, Keys: "[]"},
		{Document: app.ErrorEvent{}, Keys: "error.kind error.message error.group? error.code? error.name? error.reason? error.hint?"},
		{Document: app.ProgressEvent{}, Keys: "event step done total in_flight seconds"},
	})
}
