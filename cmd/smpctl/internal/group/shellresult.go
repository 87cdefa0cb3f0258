package group

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
)

// statusOf is the failure that a command of the device's shell reports with its status; nil if that is 0. For people it
// takes the place of our exit code, for programs both are apart.
func statusOf(a *app.App, status int) error {
	switch {
	case status == 0:
		return nil
	case a.Flags.JSON:
		return failure.StatusError(status).Refusal()
	}
	return failure.StatusError(status)
}

// shellResult is what a command of the device's shell did.
type shellResult struct {
	Status int    `json:"status"` // exit status; 0 is success
	Output string `json:"output"` // what it printed
}

// Text prints mcumgr-cli's layout.
func (r shellResult) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "status=%d\n%s", r.Status, shellText(r.Output))
	return err
}

// colour matches what a shell sends to colour its text (ECMA-48: SGR).
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// shellText makes the output of a shell fit for ours: its line ends, no colours, and an end to the last line.
func shellText(s string) string {
	s = colour.ReplaceAllString(strings.ReplaceAll(s, "\r\n", "\n"), "")
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// execResult is the result of shell exec: what the command did and, apart from that, our exit code.
type execResult struct {
	shellResult
	ExitCode int `json:"exit_code"` // of smpctl with --json: 0 if the status is 0, else 5
}

func newExecResult(ctx context.Context, r smp.ShellResult, failed error) execResult {
	e := execResult{shellResult: shellResult{r.Status, r.Output}}
	if failed != nil {
		e.ExitCode = failure.KindOf(ctx, failed).Code
	}
	return e
}
