package station

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// Config is the file of a station, the only thing that says what it does. Its keys are a contract.
type Config struct {
	Name    string            `toml:"name"`
	Image   imageConfig       `toml:"image"`
	Boards  boardsConfig      `toml:"boards"`
	Slots   map[string]string `toml:"slots"` // names of slots by location; without them each location is a slot
	Run     runConfig         `toml:"run"`
	Records recordsConfig     `toml:"records"`
	Page    pageConfig        `toml:"page"`

	sha256 string        // of the file, as records have it
	wait   time.Duration // for a board that is away, and for any progress; 0: as long as upgrade does
	dir    string        // that its paths are relative to
	rules  rules
}

type imageConfig struct {
	File   string `toml:"file"`
	SHA256 string `toml:"sha256"` // of the file, in hexadecimal digits; without it any file of this name is taken
	Key    string `toml:"key"`    // public key that signed it
	Mode   string `toml:"mode"`   // as --mode takes it
}

type boardsConfig struct {
	Match  string       `toml:"match"` // address of the boards, as -p takes it
	Baud   int          `toml:"baud"`
	ID     string       `toml:"id"` // what names a board, as --id takes it
	Expect expectConfig `toml:"expect"`
}

type expectConfig struct {
	Board string `toml:"board"` // as the device's os-info names it
}

type runConfig struct {
	Start     string   `toml:"start"`      // plug, scan or button
	Label     string   `toml:"label"`      // regular expression that a whole label fits
	Repeat    string   `toml:"repeat"`     // a board that passed before with this image: refuse, warn or allow
	StopAfter int      `toml:"stop_after"` // failures in a row; 0: never
	Quota     int      `toml:"quota"`      // boards that pass; 0: any number
	Jobs      int      `toml:"jobs"`       // boards at a time; 0: all, at most 64
	Retry     int      `toml:"retry"`      // more tries of a board without a reply
	Check     []string `toml:"check"`      // commands before the confirm, one after the other
	Before    []string `toml:"before"`     // commands before the work
	After     []string `toml:"after"`      // commands after it
}

type recordsConfig struct {
	Dir       string            `toml:"dir"`
	Key       string            `toml:"key"` // private key of the station, which signs heads
	Fields    map[string]string `toml:"fields"`
	Send      string            `toml:"send"`
	TokenFile string            `toml:"token_file"`
	CAFile    string            `toml:"ca_file"` // certificate authorities of the target, instead of the system's
}

type pageConfig struct {
	Listen    string `toml:"listen"`
	Cert      string `toml:"cert"` // PEM, for TLS
	Key       string `toml:"key"`
	TokenFile string `toml:"token_file"` // what browsers are asked for
}

// maxConfig are the bytes of the file of a station.
const maxConfig = 1 << 20

// readConfig reads the file of a station and checks every value of it, before any port is opened.
func readConfig(path string) (Config, error) {
	data, err := files.Read(path, maxConfig)
	if err != nil {
		return Config{}, failure.AsUsage(err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, failure.AsUsage(err)
	}
	c, err := parseConfig(data, dir)
	if err != nil {
		return c, failure.WithHint(failure.Usage("%s: %w", path, err),
			"smpctl station --init prints a file with all that can stand in it")
	}
	return c, nil
}

// parseConfig reads the text of a file in a folder. Mistakes are named with their lines.
func parseConfig(data []byte, dir string) (Config, error) {
	c := Config{dir: dir, sha256: "sha256:" + files.SHA256(data)}
	d := toml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, explain(err)
	}
	return c, c.check(data)
}

// explain says what is wrong, and in which line.
func explain(err error) error {
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		var said []string
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			said = append(said, fmt.Sprintf("line %d: unknown key %s", row, strings.Join(e.Key(), ".")))
		}
		return errors.New(strings.Join(said, "; "))
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return fmt.Errorf("line %d: %s", row, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return err
}

// path is that of a file which the station's file names; empty stays empty.
func (c Config) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}
