package boards

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
)

// brief is a result with a line of its own.
type brief struct{}

func (brief) Text(w io.Writer) error {
	_, err := io.WriteString(w, "a page\n")
	return err
}

func (brief) Brief() string { return "1.0.0 -> 2.0.0\tconfirmed" }

func failed(kind string) *app.Failure { return &app.Failure{Kind: kind, Message: "broken"} }

func TestTable(t *testing.T) {
	d := newDocument([]Entry{
		{Board: "1-1.1", ID: "SN0001", Port: "/dev/ttyACM0", Attempts: 1, Seconds: 5.64, Result: brief{}},
		{Board: "1-1.2", Attempts: 3, Seconds: 31, Step: "upload", Error: failed("no-reply"), Result: brief{}},
		{Board: "evil\nboard", Port: "COM7", Attempts: 1, Error: failed("port")},
		{Board: "E66C0004", Port: "COM8", Attempts: 0, Error: failed("interrupted")},
	}, time.Minute, false)
	var out bytes.Buffer
	if err := d.Text(&out); err != nil {
		t.Fatal(err)
	}
	want := `BOARD        PORT          TIME    RESULT
SN0001       /dev/ttyACM0  5.6 s   1.0.0 -> 2.0.0\tconfirmed
1-1.2        -             31.0 s  no-reply in upload, 3 tries
evil\nboard  COM7          0.0 ms  port
E66C0004     COM8          -       interrupted
1 of 4 passed; 1-1.2 no-reply in upload, evil\nboard port, E66C0004 interrupted
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.Verdict() != app.Failed || d.Passed != 1 || d.Failed != 3 {
		t.Errorf("verdict %q, %d passed, %d failed", d.Verdict(), d.Passed, d.Failed)
	}
}

// TestSummary stays one line, however many boards fail, and however long their names are.
func TestSummary(t *testing.T) {
	var entries []Entry
	for i := range 64 {
		e := Entry{Board: fmt.Sprintf("0123456789ABCDEF%08d", i), Attempts: 1}
		if i%8 == 0 {
			e.Error, e.Step = failed("no-reply"), "upload"
		}
		entries = append(entries, e)
	}
	want := "56 of 64 passed; 0123456789ABCDEF… no-reply in upload, 0123456789ABCDEF… no-reply in upload, " +
		"0123456789ABCDEF… no-reply in upload, and 5 more"
	if got := newDocument(entries, 0, false).summary(); got != want {
		t.Errorf("summary = %q, want %q", got, want)
	}
	if got := newDocument(entries[1:8], 0, false).summary(); got != "7 of 7 passed" {
		t.Errorf("summary = %q", got)
	}
}

// TestPages shows what was asked for of each board, and why it is missing.
func TestPages(t *testing.T) {
	d := newDocument([]Entry{{Board: "a", Result: brief{}},
		{Board: "b", Error: failed("no-reply")}}, 0, true)
	var out bytes.Buffer
	if err := d.Text(&out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "a:\na page\n\nb:\nno-reply\n\n1 of 2 passed; b no-reply\n" {
		t.Errorf("pages:\n%s", got)
	}
}
