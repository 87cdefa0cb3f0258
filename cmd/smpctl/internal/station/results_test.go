package station

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: stationResult{}, Commands: "station", Keys: "station passed failed unknown records seconds"},
		{Document: initResult{}, Commands: "station", Keys: "toml"},
	})
}
