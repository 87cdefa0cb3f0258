package records

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/spf13/cobra"
)

type verifyOptions struct {
	dir  string
	keys []string
	head head
}

func verifyCommand(a *app.App) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:        "verify",
		SuggestFor: []string{"check", "audit"},
		Short:      "Check that no record was changed, removed or cut off",
		Long: `Check that no record was changed, removed or cut off, and name the file and line if one was. Every
line holds the SHA-256 of the line before.

With --key the signatures of the station count too: without its private key nobody can make up more
than the last lines, those after the last head, of which there are 64 at most. What was cut off at
the end between two runs of a station shows with --head and the head that an earlier check gave.`,
		Example: "  smpctl records verify\n  smpctl records verify --dir /mnt/archive/line2 --key line2.pub.pem",
		Args:    app.Takes(0, 0),
		RunE:    a.Run(func(context.Context, []string) (app.Result, error) { return verify(a, o) }),
	}
	f := cmd.Flags()
	folderFlag(f, &o.dir)
	f.StringArrayVar(&o.keys, "key", nil, "public `key` (PEM) of the station; of several, one must have signed each head")
	f.Var(&o.head, "head", "a `head` that must be there: number and SHA-256 of a line")
	return cmd
}

// head is a line that is known: its number and its hash.
type head struct {
	seq    int64
	sha256 string
}

func (h *head) Set(text string) error {
	number, sum, _ := strings.Cut(text, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	b, bad := hex.DecodeString(sum)
	if err != nil || seq < 1 || bad != nil || len(b) != 32 {
		return errors.New("want a number and 64 hexadecimal digits, as records verify shows them: 412:9f3c…")
	}
	h.seq, h.sha256 = seq, strings.ToLower(sum)
	return nil
}

func (h *head) Type() string { return "head" }

func (h *head) String() string {
	if h.seq == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%s", h.seq, h.sha256)
}

// verification is the result of records verify.
type verification struct {
	Folder   string     `json:"folder"`           // of the records, as it was given
	Verified bool       `json:"verified"`         // nothing was changed, is missing or was cut off
	Files    int        `json:"files"`            // that were read
	Lines    int        `json:"lines"`            // that were read
	Boards   int        `json:"boards"`           // turns of boards that ended
	First    *time.Time `json:"first,omitempty"`  // when the first line was written
	Last     *time.Time `json:"last,omitempty"`   // when the last line was written
	Head     string     `json:"head,omitempty"`   // number and SHA-256 of the last line: --head takes it
	Signed   int64      `json:"signed,omitempty"` // number of the last line that a station signed, and with it all before
	Unsigned int64      `json:"unsigned"`         // lines after that
	Findings []finding  `json:"findings"`         // what is wrong, at most 100
	More     int        `json:"more,omitempty"`   // findings beyond those
}

// finding is something that is wrong with records.
type finding struct {
	File    string `json:"file"`           // or the folder
	Line    int    `json:"line,omitempty"` // in the file, from 1; absent if it is no line
	Message string `json:"message"`
}

func verify(a *app.App, o verifyOptions) (app.Result, error) {
	keys, err := stationKeys(o.keys)
	if err != nil {
		return nil, err
	}
	v, err := journal.Verify(o.dir, journal.VerifyOptions{Keys: keys, Seq: o.head.seq, SHA256: o.head.sha256})
	if err != nil {
		return nil, unreadable(err)
	}
	r := newVerification(o.dir, v)
	switch {
	case !r.Verified:
		return r, failure.WithHint(fmt.Errorf("%s: the records are not as they were written", o.dir),
			"keep the folder as it is; a copy from before, or what was sent elsewhere, shows what is different")
	case len(keys) > 0 && r.Unsigned > 0:
		a.Warn("the last %s not signed: the station is at work, was killed, or somebody else wrote them",
			plural(r.Unsigned, "line is", "lines are"))
	}
	return r, nil
}

func plural(n int64, one, several string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// stationKeys reads the public keys of stations.
func stationKeys(paths []string) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, path := range paths {
		public, err := trust.ReadPublicKey(path)
		if err != nil {
			return nil, err
		}
		key, ok := public.(ed25519.PublicKey)
		if !ok {
			return nil, failure.WithHint(failure.Usage("key %s: is not of type Ed25519, as those of stations are", path), "")
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func newVerification(dir string, v journal.Verdict) verification {
	r := verification{Folder: dir, Verified: v.Whole(), Files: v.Files, Lines: v.Lines, Boards: v.Boards,
		Signed: v.Signed, Unsigned: v.Seq - v.Signed, Findings: []finding{}, More: v.More}
	if v.Lines > 0 {
		r.Head = (&head{v.Seq, v.SHA256}).String()
	}
	if !v.First.IsZero() {
		r.First = &v.First
	}
	if !v.Last.IsZero() {
		r.Last = &v.Last
	}
	for _, f := range v.Findings {
		r.Findings = append(r.Findings, finding{f.File, f.Line, f.What})
	}
	return r
}

func (r verification) Verdict() app.Mark {
	if r.Verified {
		return app.Done
	}
	return app.Failed
}

func (r verification) Text(w io.Writer) error {
	verdict := "whole"
	if !r.Verified {
		verdict = "not whole"
	}
	fmt.Fprintf(w, "%s: %s: %s in %s, %s\n", r.Folder, verdict, human.Count(r.Lines, "line"), human.Count(r.Files, "file"),
		human.Count(r.Boards, "board"))
	for _, f := range r.Findings {
		if f.Line == 0 {
			fmt.Fprintf(w, "  %s %s\n", f.File, f.Message)
		} else {
			fmt.Fprintf(w, "  %s: line %d %s\n", f.File, f.Line, f.Message)
		}
	}
	if r.More > 0 {
		fmt.Fprintf(w, "  and %d more\n", r.More)
	}
	if r.First != nil && r.Last != nil {
		fmt.Fprintf(w, "from %s to %s\n", r.First.Local().Format(time.DateTime), r.Last.Local().Format(time.DateTime))
	}
	if r.Signed > 0 {
		fmt.Fprintf(w, "signed up to line number %d\n", r.Signed)
	}
	if r.Head == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "head %s\n", r.Head)
	return err
}
