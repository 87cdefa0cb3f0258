package records

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/spf13/cobra"
)

type exportOptions struct {
	selection
	format app.Choice
	out    string
}

func exportCommand(a *app.App) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write records for other programs: CSV, JSON lines or JUnit",
		Long: `Write records for other programs, one for each turn of a board: as CSV for spreadsheets, as JSON
lines with all that is known, or as JUnit XML for what shows results of tests. In CSV a text that a
spreadsheet would take for a formula has a ' before it.`,
		Example: "  smpctl records export --since 2026-11-01 -o november.csv\n" +
			"  smpctl records export --format junit -o boards.xml",
		Args: app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) { return export(ctx, a, o) }),
	}
	f := cmd.Flags()
	o.register(f)
	o.format = app.NewChoice(f, "format", "", "form of the output: csv (default), jsonl or junit", "csv", "jsonl", "junit")
	f.StringVarP(&o.out, "output", "o", "", "write to this `file` instead of standard output")
	return cmd
}

// exported is the result of records export into a file.
type exported struct {
	Output  string `json:"output"`
	Format  string `json:"format"`  // csv, jsonl or junit
	Records int    `json:"records"` // that were written
}

func (r exported) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %s\n", r.Output, human.Count(r.Records, "record"))
	return err
}

// exporter writes records in one form.
type exporter interface {
	add(t journal.Turn) error
	end() error
}

func export(ctx context.Context, a *app.App, o exportOptions) (app.Result, error) {
	if o.out == "" {
		if a.Flags.JSON {
			return nil, failure.Usage("--json: what is exported has a form of its own; write it into a file with -o")
		}
		_, err := o.write(ctx, a, a.Out)
		return nil, err
	}
	f, err := files.Create(o.out, files.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Discard()
	n, err := o.write(ctx, a, f)
	if err != nil {
		return nil, err
	}
	return exported{o.out, o.format.String(), n}, f.Commit()
}

// write writes the records, and counts them.
func (o *exportOptions) write(ctx context.Context, a *app.App, to io.Writer) (n int, err error) {
	w := bufio.NewWriterSize(to, 1<<16)
	var e exporter
	switch o.format.String() {
	case "jsonl":
		e = jsonLines{w}
	case "junit":
		counted := suiteTotals{}
		if err := o.each(ctx, a, counted.add); err != nil {
			return 0, err
		}
		e = newJUnit(w, counted)
	default:
		e = newCSV(w)
	}
	err = o.each(ctx, a, func(t journal.Turn) error {
		n++
		return e.add(t)
	})
	if err == nil {
		err = e.end()
	}
	if err == nil {
		err = w.Flush()
	}
	return n, err
}

// jsonLines writes all that is known, as records show --json has it.
type jsonLines struct{ w *bufio.Writer }

func (j jsonLines) add(t journal.Turn) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(newEntry(t)); err != nil {
		return err
	}
	_, err := j.w.WriteString(screen.EscapeJSON(b.String()))
	return err
}

func (j jsonLines) end() error { return nil }
