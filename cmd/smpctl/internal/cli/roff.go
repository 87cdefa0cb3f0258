package cli

import (
	"fmt"
	"strings"
)

// roff is a page of the manual in the man macros, which every reader of manuals knows.
type roff struct {
	strings.Builder
	begun bool // something stands below the last heading
}

// roffLetters are those that mean something to roff, or would come out as others that no shell takes.
var roffLetters = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...",
	"'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// roffText is text as roff has to be given it. A dot in front would begin an order.
func roffText(text string) string {
	text = roffLetters.Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}

// title begins the page.
func (r *roff) title(name, date, version string) {
	fmt.Fprintf(r, ".TH %s 1 %q %q \"smpctl manual\"\n", roffText(strings.ToUpper(name)), date,
		roffText("smpctl "+version))
	r.WriteString(".nh\n.ad l\n") // names of flags are not hyphenated
}

func (r *roff) section(text string)    { r.heading("SH", text) }
func (r *roff) subsection(text string) { r.heading("SS", text) }

func (r *roff) heading(macro, text string) {
	fmt.Fprintf(r, ".%s \"%s\"\n", macro, roffText(text))
	r.begun = false
}

// paragraph begins one. A heading has done so already.
func (r *roff) paragraph() {
	if r.begun {
		r.WriteString(".PP\n")
	}
	r.begun = true
}

// prose writes paragraphs, which a blank line ends.
func (r *roff) prose(text string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		r.paragraph()
		r.WriteString(roffText(strings.Join(strings.Fields(paragraph), " ")) + "\n")
	}
}

// usage writes how a command is written: its name in bold, what follows as it is.
func (r *roff) usage(name, rest string) {
	fmt.Fprintf(r, ".HP 4\n.B %s\n%s\n", roffText(name), roffText(rest))
}

// rows writes names, each with a text below it.
func (r *roff) rows(rows []row) {
	for _, one := range rows {
		r.begun = true
		name, value, _ := strings.Cut(strings.TrimSpace(one.name), "\t")
		fmt.Fprintf(r, ".TP 8\n\\fB%s\\fR", roffText(name))
		if value != "" {
			fmt.Fprintf(r, " \\fI%s\\fR", roffText(value))
		}
		fmt.Fprintf(r, "\n%s\n", roffText(one.text))
	}
}

// lines writes lines as they are, for a shell.
func (r *roff) lines(text string) {
	r.paragraph()
	r.WriteString(".EX\n")
	for line := range strings.Lines(text) {
		r.WriteString(roffText(strings.TrimSpace(line)) + "\n")
	}
	r.WriteString(".EE\n")
}
