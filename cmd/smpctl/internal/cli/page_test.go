package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(*page)
		want  string
	}{
		{"prose joins lines", func(p *page) {
			p.prose("One line\nand another one that is too long.\n\nA second\nparagraph.\n")
		}, `
One line and another one that is too
long.

A second paragraph.
`},
		{"a word that is too long stays whole", func(p *page) {
			p.prose("see smpctl-" + strings.Repeat("x", 40) + " too")
		}, `
see
smpctl-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
too
`},
		{"rows", func(p *page) { p.rows([]row{{"a", "first"}, {"bcd", "second text that is longer than a line"}}) }, `
  a    first
  bcd  second text that is longer than a
       line
`},
		{"names that leave no room", func(p *page) { p.rows([]row{{"--a-name-of-a-flag", "its text"}}) }, `
  --a-name-of-a-flag
          its text
`},
		{"a command in two lines", func(p *page) { p.command("smpctl sign app.bin --key 'my key.pem' -o out.bin") }, `
  smpctl sign app.bin \
      --key 'my key.pem' -o out.bin
`},
		{"cells", func(p *page) { p.cells([]string{"one", "two", "three", "four"}) }, `
  one  three
  two  four
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPage(40)
			tt.write(p)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), p.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
