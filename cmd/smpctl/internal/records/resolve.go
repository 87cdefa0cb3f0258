package records

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/spf13/cobra"
)

type resolveOptions struct {
	dir, note, operator string
	result              app.Choice
}

func resolveCommand(a *app.App) *cobra.Command {
	var o resolveOptions
	cmd := &cobra.Command{
		Use:   "resolve <record> --result <result>",
		Short: "Add what a person found out about a board",
		Long: `Add what a person found out about a board, such as one that is unknown since a power cut. The record
stays as it is: a line is added that tells the result that counts, and who says so. A station that
writes to the same folder has to be stopped meanwhile.`,
		Example: "  smpctl records resolve 019f7a3c-11e2 --result fail --note 'does not boot' --operator anna",
		Args:    app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return resolve(ctx, a, args[0], o)
		}),
	}
	f := cmd.Flags()
	folderFlag(f, &o.dir)
	o.result = app.NewChoice(f, "result", "", "the `result` that counts: pass or fail", "", string(journal.Pass),
		string(journal.Fail))
	f.StringVar(&o.note, "note", "", "what was found out")
	f.StringVar(&o.operator, "operator", "", "`name` of who found it out")
	app.Require(cmd, "result")
	return cmd
}

// resolution is the result of records resolve.
type resolution struct {
	ID     string         `json:"id"`     // of the record
	Result journal.Result `json:"result"` // pass or fail
}

func (r resolution) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "record %s: %s\n", r.ID, r.Result)
	return err
}

func resolve(ctx context.Context, a *app.App, name string, o resolveOptions) (app.Result, error) {
	found, err := find(ctx, a, o.dir, name)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, failure.WithHint(failure.Usage("%s: %d records are called %s", o.dir, len(found), name),
			"smpctl records show "+name+" shows them, with their IDs")
	}
	key, err := ownKey(a)
	if err != nil {
		return nil, err
	}
	r := resolution{found[0].ID, journal.Result(o.result.String())}
	j, err := journal.Open(o.dir, journal.Options{Key: key, Guest: true, Operator: o.operator,
		Station: found[0].Station})
	if err != nil {
		return nil, unwritable(err)
	}
	err = j.Resolve(r.ID, journal.Record{Result: r.Result, Message: o.note, Operator: o.operator})
	if err := errors.Join(err, j.Close()); err != nil {
		return nil, err
	}
	return r, nil
}

// ownKey is the key of this computer's user, if there is one: what is only looked at makes none.
func ownKey(a *app.App) (ed25519.PrivateKey, error) {
	path, err := journal.KeyPath(a.Env)
	if err != nil {
		return nil, nil // no folder for it
	}
	if _, err := os.Stat(path); err != nil {
		return nil, nil
	}
	return journal.StationKey(path)
}

// unwritable is about records that cannot be added to.
func unwritable(err error) error {
	switch {
	case errors.Is(err, journal.ErrLocked):
		return failure.WithHint(err, "stop the station meanwhile")
	case errors.Is(err, journal.ErrBroken):
		return failure.WithHint(err, "smpctl records verify says what is wrong; new records go into another folder")
	}
	return err
}
