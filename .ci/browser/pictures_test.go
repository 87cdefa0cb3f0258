package browser

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPictures takes the pictures of docs/pictures: a station in the middle of its day, on a screen above the bench and
// on a phone, light and dark.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("without -pictures")
	}
	s := serve(t, story())
	for _, l := range []look{wall, phone} {
		for _, dark := range []bool{false, true} {
			l.dark, l.still = dark, true
			b := visit(t, l, s.url)
			b.wait(`document.querySelectorAll("#tiles li").length === 8`)
			name := "station-light"
			if dark {
				name = "station-dark"
			}
			if l.narrow {
				name += "-phone"
			}
			if err := os.WriteFile(filepath.Join(*pictures, name+".png"), b.picture(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
