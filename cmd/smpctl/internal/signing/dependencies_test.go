package signing

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/image"
)

func TestParseDependencies(t *testing.T) {
	v := func(major, minor uint8, revision uint16, build uint32) image.Version {
		return image.Version{Major: major, Minor: minor, Revision: revision, Build: build}
	}
	for text, want := range map[string][]image.Dependency{
		"(0,1.2.3)":                 {{Image: 0, Minimum: v(1, 2, 3, 0)}},
		"(1, 2.3.4+5)":              {{Image: 1, Minimum: v(2, 3, 4, 5)}},
		" ( 1 , 1.0 ) , (255,0) , ": {{Image: 1, Minimum: v(1, 0, 0, 0)}, {Image: 255}},
		"(1,1)(2,2)":                {{Image: 1, Minimum: v(1, 0, 0, 0)}, {Image: 2, Minimum: v(2, 0, 0, 0)}},
	} {
		if got, err := parseDependencies(text); err != nil || !cmp.Equal(got, want) {
			t.Errorf("parseDependencies(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "1,1.0", "(256,1.0)", "(1,1.0", "(1,1.0) and", "(1,256.0)", "(a,1.0)", "(1 1.0)", "(-1,1.0)", "(1,01.0)",
	} {
		if got, err := parseDependencies(text); err == nil {
			t.Errorf("parseDependencies(%q) = %v, want an error", text, got)
		}
	}
}

// FuzzParseDependencies holds that what is read has as many parts as the text.
func FuzzParseDependencies(f *testing.F) {
	for _, s := range []string{"(0,1.2.3)", "(1, 2.3.4+5),(2,1)", "(256,1.0)", "((1,1))", "(1,1.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseDependencies(s)
		if err == nil && len(list) != strings.Count(s, "(") {
			t.Errorf("parseDependencies(%q) = %v", s, list)
		}
	})
}
