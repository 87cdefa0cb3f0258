package project

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/pelletier/go-toml/v2"
)

// FuzzParse: what is accepted has values within their limits, and the toml package reads the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"port = \"usb:2fe3:0100\"\nbaud = 1_000_000\nkey = 'keys/public.pem'\nfile = \"build\"\nimage = 0\n" +
			"mode = \"test\"\n",
		"\ufeffimage = 0xff\r\n", "port = '''\na'''", "[a]\nb = {c = [1, 1979-05-27]}",
		"key = \"\\u0041\"", "baud = -1e9",
	} {
		f.Add(text)
	}
	path := file(Name)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parse(path, []byte(text))
		var wrong *FileError
		if err != nil {
			if !errors.As(err, &wrong) || wrong.Path != path || wrong.Line < 1 {
				t.Errorf("parse(%q) = %#v, want a *FileError with a line", text, err)
			}
			return
		}
		var want struct {
			Port, Key, File, Mode string
			Baud                  int
			Image                 *int
		}
		decoder := toml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).DisallowUnknownFields()
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("parse(%q) accepts what package toml does not: %v", text, err)
		}
		if d.Port != want.Port || d.Mode != want.Mode || d.Baud != want.Baud ||
			(d.Image == nil) != (want.Image == nil) || d.Image != nil && *d.Image != *want.Image ||
			(d.Key == "") != (want.Key == "") ||
			(d.File == "") != (want.File == "") {
			t.Errorf("parse(%q) = %+v, package toml reads %+v", text, d, want)
		}
		if d.Baud < 0 || d.Baud > maxBaud || d.Image != nil && (*d.Image < 0 || *d.Image > maxImage) {
			t.Errorf("parse(%q) = %+v: a number is out of range", text, d)
		}
		for _, path := range []string{d.Key, d.File} {
			if path != "" && !filepath.IsAbs(path) {
				t.Errorf("parse(%q) = %+v: a path is not absolute", text, d)
			}
		}
		if strings.ContainsFunc(d.Port+d.Key+d.File+d.Mode, unicode.IsControl) {
			t.Errorf("parse(%q) = %+v: a control character", text, d)
		}
	})
}

// FuzzDomains: whatever a domains.yaml says, it ends in a folder or an error.
func FuzzDomains(f *testing.F) {
	f.Add("default: app\nbuild_dir: /w/build\ndomains:\n  - name: app\n    build_dir: /w/build/app\n" +
		"flash_order:\n  - app\n")
	f.Add("default: &a app\ndomains: [{name: *a, build_dir: .}]")
	f.Add("<<: [&a [*a, *a]]\n? [default]\n: app")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDomains(file("build"), []byte(text))
		if (d.application == "") == (err == nil) {
			t.Errorf("parseDomains(%q) = %+v, %v", text, d, err)
		}
	})
}
