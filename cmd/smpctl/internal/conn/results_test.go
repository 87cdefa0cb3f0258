package conn

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: portList{}, Commands: "ports",
			Keys: "ports[].port ports[].usb ports[].vid? ports[].pid? ports[].serial? ports[].product? " +
				"ports[].manufacturer? ports[].interface? ports[].interface_name? ports[].location? " +
				"ports[].probe?.smp ports[].probe?.smp_version? ports[].probe?.runs? ports[].probe?.version? " +
				"ports[].probe?.hash? ports[].probe?.buf_size? ports[].probe?.buf_count? ports[].probe?.error?"},
		{Document: connAdded{}, Commands: "conn add", Keys: "name type connstring key? replaced"},
		{Document: connList{}, Commands: "conn show",
			Keys: "profiles[].name profiles[].type profiles[].connstring profiles[].key?"},
		{Document: connDeleted{}, Commands: "conn delete", Keys: "name type connstring key?"},
		{Document: connImported{}, Commands: "conn import",
			Keys: "file imported[].name imported[].type imported[].connstring imported[].key? skipped[].name " +
				"skipped[].type skipped[].connstring skipped[].key? skipped[].reason"},
	})
}
