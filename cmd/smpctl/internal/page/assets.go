package page

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"net/http"
)

var (
	//go:embed web/page.html
	pageHTML string
	//go:embed web/page.js
	pageJS []byte
	//go:embed web/page.css
	pageCSS []byte
	//go:embed web/icon.svg
	icon []byte
)

var document = template.Must(template.New("page").Parse(pageHTML))

// asset is a file of the page.
type asset struct {
	name, kind string
	content    []byte
}

var assets = []asset{
	{"page.js", "text/javascript; charset=utf-8", pageJS},
	{"page.css", "text/css; charset=utf-8", pageCSS},
	{"icon.svg", "image/svg+xml", icon},
}

func (a asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	_, _ = w.Write(a.content) // to whoever is still there
}

// document is the page itself, or what asks for the token.
func (p *Page) document(w http.ResponseWriter, r *http.Request) {
	v, _, _ := p.now()
	known := p.isKnown(r)
	if !known {
		v = View{}
	}
	var b bytes.Buffer
	if err := document.Execute(&b, struct {
		Known bool
		View  View
	}{known, v}); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w)
}
