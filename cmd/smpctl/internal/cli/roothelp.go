package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/spf13/cobra"
)

// rootFlags are those flags that the help of the root shows: the others are rarely needed.
var rootFlags = strings.Fields("port baud conn json quiet loglevel")

// ofRoot shows all commands by chapter, the flags that are needed most, and the exit codes, on one page of a terminal.
func (p *page) ofRoot(root *cobra.Command) {
	p.prose(root.Long)
	p.blank()
	p.line(0, 7, "Usage: smpctl <command> [flags]")
	p.names = len("monitor")
	for _, chapter := range chapters {
		p.title(chapter.title)
		p.rows(chapter.rows(root))
	}
	p.title("Flags")
	p.rows(rootFlagRows(root))
	p.title("Exit codes")
	p.cells(exitCodes())
	p.blank()
	p.line(0, 0, "smpctl <command> --help tells more; -p sim: is a virtual device to try it on.")
}

// rows are the commands of a chapter: a line for each, or for each part of a chapter that is told in brief.
func (c chapter) rows(root *cobra.Command) (rows []row) {
	for name := range strings.FieldsSeq(c.commands) {
		cmd, _, err := root.Find([]string{name})
		if err == nil && cmd != root {
			rows = append(rows, row{name, cmd.Short})
		}
	}
	for _, part := range c.brief {
		rows = append(rows, row{part.title, strings.ReplaceAll(part.commands, " ", ", ")})
	}
	return rows
}

func rootFlagRows(root *cobra.Command) (rows []row) {
	root.InitDefaultHelpFlag()
	for _, name := range rootFlags {
		if f := root.Flags().Lookup(name); f != nil {
			rows = append(rows, row{flagName(f), flagText(root, f)})
		}
	}
	return rows
}

// exitCodes lists the exit codes of failures and what they mean, in few words.
func exitCodes() (cells []string) {
	for _, e := range failure.ExitCodes()[1:] {
		cells = append(cells, fmt.Sprintf("%3d  %s", e.Code, e.Meaning))
	}
	return cells
}

// cells writes short texts in as many columns as fit, each column from top to bottom.
func (p *page) cells(texts []string) {
	const gap = 2
	widths := func(columns int) (widths []int, total int) {
		for column := range slices.Chunk(texts, (len(texts)+columns-1)/columns) {
			w := 0
			for _, text := range column {
				w = max(w, len([]rune(text)))
			}
			widths, total = append(widths, w), total+gap+w
		}
		return widths, total
	}
	columns := 3
	for columns > 1 {
		if _, total := widths(columns); total <= p.width {
			break
		}
		columns--
	}
	each, _ := widths(columns)
	height := (len(texts) + columns - 1) / columns
	for i := range height {
		line := ""
		for j, w := range each {
			if at := j*height + i; at < len(texts) {
				line += fmt.Sprintf("%*s%-*s", gap, "", w, texts[at])
			}
		}
		p.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
