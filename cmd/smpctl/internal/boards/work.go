package boards

import (
	"context"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// Work is what a command does with each board: the body that it has for one.
type Work struct {
	Name  string         // of the command, such as upgrade
	Image *journal.Image // that each board gets; nil for work that brings none
	Whole bool           // its result is a page that the user asked for: each is shown whole

	// Do does it with the board that the flags of a mean. It is called from several goroutines, each with an App and a
	// Turn of its own. A result beside an error is kept too.
	Do func(ctx context.Context, a *app.App, t *Turn) (app.Result, error)
}

// noted is a result that knows something for the record of its board: image, before, after, steps, bytes per second.
type noted interface{ Note(*journal.Record) }

// halted is a result that knows in which step the work ended with an error; empty if in none.
type halted interface{ HaltedIn() string }

// briefed is a result that can say what came of the work in a line of a table.
type briefed interface{ Brief() string }
