package boards

import (
	"reflect"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/schema"
)

// TestResults pins the JSON of the result with --all.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{{Document: Document{},
		Keys: "boards[].board boards[].id? boards[].port? boards[].attempts boards[].seconds boards[].step? " +
			"boards[].record? boards[].result? boards[].error? passed failed seconds"}})
	schema.Compare(t, schema.BoardsFile, "smpctl COMMAND --all --json", reflect.TypeFor[Document]())
}
