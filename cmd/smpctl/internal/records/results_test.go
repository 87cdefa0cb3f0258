package records

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: sendResult{}, Commands: "records send", Keys: "target sent unsent"},
		{Document: schemaResult{}, Commands: "records schema", Keys: "sql"},
	})
}
