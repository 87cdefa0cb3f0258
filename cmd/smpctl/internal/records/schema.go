package records

import (
	"context"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/outbox"
	"github.com/spf13/cobra"
)

func schemaCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:        "schema",
		SuggestFor: []string{"ddl", "sql"},
		Short:      "Print the SQL that prepares a PostgreSQL for records",
		Long: `Print the SQL that prepares a PostgreSQL, 12 or later, for records: a table, the role smpctl_station
that may only add to it, and views that name gaps and what was changed. It may be run again.`,
		Example: "  smpctl records schema | psql -v ON_ERROR_STOP=1 plant",
		Args:    app.Takes(0, 0),
		RunE: a.Run(func(context.Context, []string) (app.Result, error) {
			return schemaResult{outbox.Schema}, nil
		}),
	}
}

// schemaResult is the result of records schema.
type schemaResult struct {
	SQL string `json:"sql"` // statements, with comments
}

func (r schemaResult) Text(w io.Writer) error {
	_, err := io.WriteString(w, r.SQL)
	return err
}
