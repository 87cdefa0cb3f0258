package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManual sees that each command and each of its flags has its place in the manual, and that roff takes no line of
// text for an order of its own.
func TestManual(t *testing.T) {
	pages := Manual("v1.2.3", "2026-11-22")
	macros := regexp.MustCompile(`^\.(TH|SH|SS|PP|TP|HP|B|EX|EE|nh|ad)\b`)
	for name, page := range pages {
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !macros.MatchString(line) {
				t.Errorf("%s: %q", name, line)
			}
		}
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO"} {
			if !strings.Contains(string(page), `.SH "`+section+`"`) && !(section == "EXAMPLES" && isGroupPage(name)) {
				t.Errorf("%s has no %s", name, section)
			}
		}
	}
	for _, c := range everyCommand(testRoot()) {
		if !c.IsAvailableCommand() || !c.HasParent() {
			continue
		}
		top := strings.Fields(c.CommandPath())[1]
		page := string(pages["smpctl-"+top+".1"])
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, roffText("--"+f.Name)+`\fR`) {
				t.Errorf("the page of %s has no --%s", c.CommandPath(), f.Name)
			}
		})
		if !isGroup(c) && !strings.Contains(page, ".B "+roffText(c.CommandPath())+"\n") {
			t.Errorf("the page of %s does not say how it is written", c.CommandPath())
		}
	}
}

// isGroupPage reports whether a page is that of a command that only groups others: their examples stand with them.
func isGroupPage(name string) bool {
	cmd, _, err := testRoot().Find([]string{strings.TrimSuffix(strings.TrimPrefix(name, "smpctl-"), ".1")})
	return err == nil && cmd.HasSubCommands()
}

// TestManualText sees what is written of text with letters that mean something to roff.
func TestManualText(t *testing.T) {
	r := &roff{}
	r.section("DESCRIPTION")
	r.prose(".a dot first, a \\ and\na \"quote\"\n\n'twas a-b")
	r.rows(flagRows(&cobra.Command{}, []*pflag.Flag{{Name: "from", Shorthand: "f", Usage: "a `port`", Value: text("")}}))
	want := `.SH "DESCRIPTION"
\&.a dot first, a \e and a "quote"
.PP
\(aqtwas a\-b
.TP 8
\fB\-f, \-\-from\fR \fIPORT\fR
a port
`
	if got := r.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// text is a value of a flag.
type text string

func (t text) String() string   { return string(t) }
func (t text) Set(string) error { return nil }
func (t text) Type() string     { return "string" }

// TestManualEnvironment sees that the manual names every variable of smpctl that its sources name.
func TestManualEnvironment(t *testing.T) {
	said := ""
	for _, r := range manualEnvironment {
		said += r.name + ", "
	}
	variable := regexp.MustCompile(`"(SMPCTL_[A-Z0-9_]+)["=]`)
	found := 0
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range variable.FindAllSubmatch(source, -1) {
			found++
			if !strings.Contains(said, string(m[1])+", ") {
				t.Errorf("%s: the manual does not name %s", path, m[1])
			}
		}
		return err
	})
	if err != nil || found < 8 {
		t.Errorf("%d variables found, %v", found, err)
	}
}
