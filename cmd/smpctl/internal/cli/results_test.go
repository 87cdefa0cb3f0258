package cli

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: completionScript{}, Commands: "completion", Keys: "shell script"},
		{Document: versionResult{}, Commands: "version", Keys: "version revision? modified time? go os arch"},
	})
}
