package project

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Defaults are the values of a smpctl.toml. What flags, the environment or a connection profile say comes first.
type Defaults struct {
	Path    string // the file, absolute; empty if there is none
	Ignored string // a sentence on a file that was in the way and does not count; empty if there was none

	Port  string // address of the device, as written; empty if not given
	Baud  int    // bits per second; 0 if not given
	Key   string // file with a public key, absolute; empty if not given
	File  string // file or build folder for an update, absolute; empty if not given
	Image *int   // number of the image; nil if not given
	Mode  string // mode of an update, as written; empty if not given

	lines map[string]int // where each key stands, from 1
}

// knownKeys are the keys of smpctl.toml, for people.
const knownKeys = "port, baud, key, file, image, mode"

// Limits of numbers, those of the flags with the same names.
const (
	maxBaud  = 50_000_000 // bits per second
	maxImage = 255
)

// Wrong makes an error of a value whose meaning the caller finds wrong: it says where the key stands. The result is a
// *[FileError].
func (d Defaults) Wrong(key string, err error) error {
	return &FileError{Path: d.Path, Line: d.lines[key], Err: fmt.Errorf("%s: %w", key, err)}
}

// parse reads the text of the file that has this absolute path. It ends at the first mistake; every error is a
// *FileError.
//
// It uses the parser under package toml, because that package tells lines of mistakes only, and those of unknown keys
// in a time that grows with the square of the file.
func parse(path string, text []byte) (Defaults, error) {
	d := Defaults{Path: path, lines: map[string]int{}}
	var p unstable.Parser
	p.Reset(bytes.TrimPrefix(text, []byte("\ufeff"))) // some editors on Windows begin a file with a byte order mark
	for p.NextExpression() {
		if err := d.take(&p, p.Expression()); err != nil {
			return Defaults{}, err
		}
	}
	if err := p.Error(); err != nil {
		return Defaults{}, notTOML(path, &p, err)
	}
	return d, nil
}

// take adds one line of the file.
func (d *Defaults) take(p *unstable.Parser, e *unstable.Node) error {
	name, line := nameOf(p, e)
	fail := func(format string, args ...any) error {
		return &FileError{Path: d.Path, Line: line, Err: fmt.Errorf(format, args...)}
	}
	if e.Kind != unstable.KeyValue {
		return fail("unknown table %q; known are the keys %s", short(name), knownKeys)
	}
	if first, ok := d.lines[name]; ok {
		return fail("%s: is given twice, first in line %d", name, first)
	}
	known, err := d.set(name, e.Value())
	switch {
	case !known:
		return fail("unknown key %q; known: %s", short(name), knownKeys)
	case err != nil:
		return fail("%s: %w", name, err)
	}
	d.lines[name] = line
	return nil
}

// set takes the value of a key, if it is a known one.
func (d *Defaults) set(name string, v *unstable.Node) (known bool, err error) {
	switch name {
	case "port":
		d.Port, err = textOf(v)
	case "baud":
		d.Baud, err = numberOf(v, 1, maxBaud)
	case "key":
		d.Key, err = d.pathOf(v)
	case "file":
		d.File, err = d.pathOf(v)
	case "image":
		d.Image = new(int)
		*d.Image, err = numberOf(v, 0, maxImage)
	case "mode":
		d.Mode, err = textOf(v)
	default:
		return false, nil
	}
	return true, err
}

// nameOf is the key or table of a line, its parts joined by dots, and where it stands.
func nameOf(p *unstable.Parser, e *unstable.Node) (name string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		if line == 0 {
			line = p.Shape(it.Node().Raw).Start.Line
		}
		parts = append(parts, string(it.Node().Data))
	}
	return strings.Join(parts, "."), line
}

func textOf(v *unstable.Node) (string, error) {
	text := string(v.Data)
	switch {
	case v.Kind != unstable.String:
		return "", fmt.Errorf("want text in quotes, not %s", kindOf(v))
	case text == "":
		return "", errors.New("is empty")
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", fmt.Errorf(`%q holds a control character (in "…" a backslash begins an escape)`, short(text))
	}
	return text, nil
}

func numberOf(v *unstable.Node, low, high int) (int, error) {
	if v.Kind != unstable.Integer {
		return 0, fmt.Errorf("want a number of %d to %d, not %s", low, high, kindOf(v))
	}
	n, err := strconv.ParseInt(string(v.Data), 0, 64) // TOML writes numbers as Go does
	if err != nil || n < int64(low) || n > int64(high) {
		return 0, fmt.Errorf("want a number of %d to %d, not %s", low, high, short(string(v.Data)))
	}
	return int(n), nil
}

// pathOf is always absolute, so nothing takes it for a flag, or for the scheme of something that is no file.
func (d *Defaults) pathOf(v *unstable.Node) (string, error) {
	text, err := textOf(v)
	if err != nil {
		return "", err
	}
	if path := filepath.FromSlash(text); filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	return filepath.Join(filepath.Dir(d.Path), filepath.FromSlash(text)), nil
}

// kindOf is a kind of value for people.
func kindOf(v *unstable.Node) string {
	switch v.Kind {
	case unstable.String:
		return "text"
	case unstable.Integer, unstable.Float:
		return short(string(v.Data))
	case unstable.Bool:
		return "true or false"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return "a date or time"
}

// short keeps what a file says from filling the screen.
func short(text string) string {
	const most = 60 // characters
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// notTOML says in which line the file stops being TOML.
func notTOML(path string, p *unstable.Parser, err error) error {
	e := &FileError{Path: path, Err: fmt.Errorf("not TOML: %w", err)}
	var at *unstable.ParserError
	if !errors.As(err, &at) {
		return e
	}
	e.Line = p.Shape(p.Range(at.Highlight)).Start.Line
	e.Err = fmt.Errorf("not TOML: %s", at.Message) // without the error, which may not outlive the parser
	e.hint = `a line is KEY = "TEXT" or KEY = NUMBER`
	if strings.Contains(at.Message, "escape") {
		e.hint = `in "…" a backslash begins an escape: write / in paths`
	}
	return e
}
