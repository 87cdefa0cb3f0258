package monitor

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: monitorResult{}, Commands: "monitor", Keys: "port bytes dropped_bytes reconnects matched? seconds"},
	})
}
