package records

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/outbox"
	"github.com/spf13/cobra"
)

type sendOptions struct {
	dir    string
	to     string
	token  string // file
	ca     string // file
	follow bool
}

func sendCommand(a *app.App) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:        "send --to <target>",
		SuggestFor: []string{"push", "upload", "sync"},
		Short:      "Send records to a company's system, or into PostgreSQL",
		Long: `Send records that were not sent yet: as JSON lines by POST to https://HOST/PATH, or into
postgres://USER@HOST/DATABASE, where "records schema" made the tables. Any answer 2xx means that the
server has the lines.

A small file beside the records says what the target took last. Records arrive in their order, each at
least once: after a connection that was cut, some may come again, and are known by station and "seq".
A station may write meanwhile. What the target may take later is tried again, with --follow for as
long as that takes; what it refuses ends the command.

The password of PostgreSQL is in the file of --token-file, PGPASSWORD or the file of PGPASSFILE, and the
server has to show a certificate for its name unless sslmode says otherwise.`,
		Example: `  smpctl records send --to https://mes.example/v1/records --token-file token
  smpctl records send --to postgres://line2a@db.example/plant --follow`,
		Args: app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) { return send(ctx, a, o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "records", "`folder` of the records")
	f.StringVar(&o.to, "to", "", "`target`: https://HOST/PATH or postgres://USER@HOST/DATABASE")
	f.StringVar(&o.token, "token-file", "", "`file` with the bearer token, or the password of PostgreSQL")
	f.StringVar(&o.ca, "ca", "", "`file` with certificates (PEM) that are trusted instead of the system's")
	f.BoolVar(&o.follow, "follow", false, "go on with what is added, until interrupted")
	app.Require(cmd, "to")
	return cmd
}

// sendResult is the result of records send.
type sendResult struct {
	Target string `json:"target"` // where the records went, without what may be secret
	Sent   int    `json:"sent"`   // lines: a record has one when it begins and one when it ends
	Unsent int    `json:"unsent"` // lines that the target does not have yet
}

func (r sendResult) Text(w io.Writer) error {
	text := fmt.Sprintf("%s sent to %s", human.Count(r.Sent, "line"), r.Target)
	switch {
	case r.Unsent > 0:
		text += fmt.Sprintf(", %d not", r.Unsent)
	case r.Sent == 0:
		text = r.Target + " has all of the records"
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func send(ctx context.Context, a *app.App, o sendOptions) (app.Result, error) {
	says := failures{app: a}
	s, err := outbox.Open(o.dir, o.to, outbox.Options{
		TokenFile: o.token, CAFile: o.ca, Agent: "smpctl/" + app.Version(), Failed: says.failed,
	})
	if err != nil {
		return nil, err
	}
	if o.follow {
		waiting := a.Wait("records to send to %s", s.Target())
		defer waiting.Stop()
		return nil, s.Run(ctx)
	}
	waiting := a.Wait("%s to take records", s.Target())
	sent, err := s.Once(ctx)
	waiting.Stop()
	unsent, _ := s.Unsent()
	return sendResult{s.Target(), sent, unsent}, err
}

// failures tells of tries that failed, of each kind of failure once.
type failures struct {
	app  *app.App
	last string
}

func (f *failures) failed(err error, wait time.Duration) {
	if text := err.Error(); text != f.last {
		f.last = text
		f.app.Warn("%v; again in %s", err, human.Span(wait))
	}
}
