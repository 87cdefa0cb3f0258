package records

import (
	"context"
	"errors"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/spf13/pflag"
)

// selection says which records a command is about.
type selection struct {
	dir          string
	since, until moment
	board        string
	result       app.Choice // the zero value: any
}

// register declares its flags.
func (s *selection) register(f *pflag.FlagSet) {
	folderFlag(f, &s.dir)
	f.Var(&s.since, "since", "records that began at this `time` or later: a date, a time, or how long ago, as 8h or 7d")
	f.Var(&s.until, "until", "records that began before this `time`")
	f.StringVar(&s.board, "board", "", "records of one board, by its ID, serial number or label")
	s.result = app.NewChoice(f, "result", "", "records with this result: pass, fail or unknown", "", string(journal.Pass),
		string(journal.Fail), string(journal.Unknown))
}

// takes reports whether a record is one of them.
func (s *selection) takes(t journal.Turn) bool {
	switch {
	case !s.since.IsZero() && t.Began.Before(s.since.Time):
	case !s.until.IsZero() && !t.Began.Before(s.until.Time):
	case s.board != "" && !isOf(t.Record, s.board):
	case s.result != (app.Choice{}) && !s.result.Is("") && !s.result.Is(string(t.Outcome())):
	default:
		return true
	}
	return false
}

// isOf reports whether a record is of a board, as people name it.
func isOf(r journal.Record, board string) bool {
	for _, name := range []string{r.Board.ID, r.Board.Serial, r.Fields["label"]} {
		if name != "" && strings.EqualFold(name, board) {
			return true
		}
	}
	return false
}

// most is how many lines that make no sense are told of one by one.
const most = 3

// each does something with each of the records. Lines that make no sense are passed over, with a warning.
func (s *selection) each(ctx context.Context, a *app.App, do func(journal.Turn) error) error {
	bad := 0
	for t, err := range journal.History(s.dir) {
		var line *journal.LineError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &line):
			if bad++; bad <= most {
				a.Warn("%v", err)
			}
		case err != nil:
			return unreadable(err)
		case s.takes(t):
			if err := do(t); err != nil {
				return err
			}
		}
	}
	if bad > most {
		a.Warn("%s: %s more make no sense", s.dir, human.Count(bad-most, "line"))
	}
	return nil
}
