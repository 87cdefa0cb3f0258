package browser

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPictures takes the pictures of docs/pictures: a station in the middle of its day, on a screen above the bench and
// on a phone, light and dark. Without -pictures it only sees that they can be taken.
func TestPictures(t *testing.T) {
	t.Parallel()
	s := serve(t, scene())
	for _, l := range []look{wall, phone} {
		b := visit(t, l, s.url)
		b.wait(`document.querySelectorAll("#tiles li").length === 8`)
		eval[any](b, `document.querySelector("#scan").style.caretColor = "transparent"`) // or it blinks
		for _, dark := range []bool{false, true} {
			l.dark = dark
			b.look(l)
			name := map[bool]string{false: "station-light", true: "station-dark"}[dark]
			if l.narrow {
				name += "-phone"
			}
			content := fewColours(t, b.picture())
			if len(content) > 150<<10 {
				t.Errorf("%s has %d kB", name, len(content)>>10)
			}
			if *pictures == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(*pictures, name+".png"), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// fewColours makes a PNG several times smaller: the page has flat colours, and 256 of them show the edges of its
// letters too.
func fewColours(t *testing.T, content []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r := full.Bounds()
	often := map[color.Color]int{}
	for y := range r.Dy() {
		for x := range r.Dx() {
			often[full.At(x, y)]++
		}
	}
	if len(often) < 16 {
		t.Fatalf("a picture of %d colours shows nothing", len(often))
	}
	colours := slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int {
		return cmp.Or(often[b]-often[a], cmp.Compare(rgb(a), rgb(b)))
	})
	few := image.NewPaletted(r, color.Palette(colours[:min(len(colours), 256)]))
	index := map[color.Color]uint8{}
	for c := range often {
		index[c] = uint8(few.Palette.Index(c))
	}
	for y := range r.Dy() {
		for x := range r.Dx() {
			few.SetColorIndex(x, y, index[full.At(x, y)])
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, few); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rgb is a colour as one number.
func rgb(c color.Color) uint64 {
	r, g, b, _ := c.RGBA()
	return uint64(r)<<32 | uint64(g)<<16 | uint64(b)
}
