package simcmd

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: simResult{}, Commands: "sim",
			Keys: "requests resets lost_packets lost_lines long_lines broken no_memory"},
	})
}
