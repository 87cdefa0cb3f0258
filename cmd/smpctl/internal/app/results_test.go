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
		{Document: app.Failure{}, Keys: "kind message group? code? name? reason? hint?"},
		{Document: app.ErrorEvent{}, Event: "error", Keys: "error"},
		{Document: app.ProgressEvent{}, Event: "progress", Keys: "event step done total in_flight seconds"},
	})
}
