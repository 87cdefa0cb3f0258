package app

import (
	"fmt"
	"io"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// Mark is what a line of news means. A terminal shows it in colour.
type Mark screen.Style

const (
	Plain   = Mark(screen.Plain)
	Done    = Mark(screen.Green)
	Caution = Mark(screen.Yellow)
	Failed  = Mark(screen.Red)
)

// bold is the mark of what counts in the end.
func (m Mark) bold() screen.Style {
	if m == Plain {
		return screen.Bold
	}
	return screen.Bold + ";" + screen.Style(m)
}

// Say prints a line of news for people, and nothing with --quiet or --json.
func (a *App) Say(format string, args ...any) {
	if !a.Brief() {
		a.line(screen.Plain, "", fmt.Sprintf(format, args...))
	}
}

// Step prints a line about a step of the command, for people like [App.Say]: its name in a column of its own.
func (a *App) Step(m Mark, name, format string, args ...any) {
	if !a.Brief() {
		a.line(screen.Style(m), stepHead(name), fmt.Sprintf(format, args...))
	}
}

// stepHead is the name of a step as wide as all of them.
func stepHead(name string) string { return fmt.Sprintf("%-9s ", name) }

// liveHead is the same in a line that changes, where narrow windows have no room for columns.
func liveHead(name string, width int) string {
	if width < 40 {
		return name + " "
	}
	return stepHead(name)
}

// Note tells the user something, programs too.
func (a *App) Note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.Say("%s", text)
	a.Event(TextEvent{ownNote, text})
}

// Warn tells the user something that does not end the command.
func (a *App) Warn(format string, args ...any) {
	for i, arg := range args {
		if err, is := arg.(error); is {
			args[i] = failure.Text(err)
		}
	}
	text := fmt.Sprintf(format, args...)
	a.warnings.add(text)
	a.line(Caution.bold(), "warning: ", text)
	a.Event(WarningEvent{"warning", text})
}

// Remark is a warning for whoever reads the result: nobody is told now.
func (a *App) Remark(text string) { a.warnings.add(text) }

// Aside shows a line that the device printed. It may be called from any goroutine.
func (a *App) Aside(line string) { a.Quote(fromConsole, line) }

// Quote shows a line of somebody else, such as [FromCheck], as it is.
func (a *App) Quote(from, line string) {
	if !a.Flags.Quiet && !a.Flags.JSON {
		a.put(screen.Plain, stepHead(from), screen.Escape(line))
	}
	a.Event(TextEvent{from, line})
}

// line prints a line for people. What is in it may come from anywhere: it stays one line, and steers nothing.
func (a *App) line(s screen.Style, head, text string) {
	if a.Flags.Quiet || a.Flags.JSON {
		return
	}
	a.tell(s, head, text)
}

// widest is the longest line of our own on a terminal, in columns: what is longer is hard to read.
const widest = 100

// tell is line for what is said with --quiet too. On a terminal it goes on below where it began.
func (a *App) tell(s screen.Style, head, text string) {
	text = strings.TrimRight(screen.Escape(text), " ")
	if indent, width := len(head), min(a.News.Columns(), widest); width >= indent+20 {
		text = screen.Wrap(text, width-indent, indent)
	}
	a.put(s, head, text)
}

// put prints a head in its style and text that is harmless.
func (a *App) put(s screen.Style, head, text string) {
	_, _ = io.WriteString(a.News, a.News.Paint(s, head)+text+"\n")
}

// Quoter gives a writer that quotes, line by line, what a program says on the way. Close quotes the line that has no
// end.
func (a *App) Quoter(from string) io.WriteCloser { return &quoter{app: a, from: from} }

type quoter struct {
	app   *App
	from  string
	lines screen.Lines
}

func (q *quoter) Write(p []byte) (int, error) {
	q.lines.Feed(p, q.quote)
	return len(p), nil
}

func (q *quoter) Close() error {
	q.lines.Flush(q.quote)
	return nil
}

func (q *quoter) quote(line string) { q.app.Quote(q.from, line) }
