package station

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/transport"
)

// Limits of numbers in the file of a station.
const (
	maxSlots = 64 // as many boards as work at a time
	maxCount = 1_000_000
	maxRetry = 100
)

// defaultListen is where the page of a station is if its file says nothing else.
const defaultListen = "127.0.0.1:8417"

// defaultBaud is the rate of boards whose file says none: that of a folder's smpctl.toml is not for them.
const defaultBaud = 115200

// mistake is a value that cannot be meant.
type mistake struct {
	key  string // as section.key
	text string
}

func wrong(key, format string, args ...any) *mistake {
	return &mistake{key, fmt.Sprintf(format, args...)}
}

// check fills in what the file leaves out, and refuses what cannot be meant.
func (c *Config) check(data []byte) error {
	c.Image.Mode = cmp.Or(c.Image.Mode, "confirm-after")
	c.Boards.ID = cmp.Or(c.Boards.ID, "usb")
	c.Run.Start, c.Run.Repeat = cmp.Or(c.Run.Start, startPlug), cmp.Or(c.Run.Repeat, repeatRefuse)
	c.Boards.Baud = cmp.Or(c.Boards.Baud, defaultBaud)
	c.Run.Jobs = cmp.Or(c.Run.Jobs, maxSlots)
	c.Page.Listen = cmp.Or(c.Page.Listen, defaultListen)
	for _, check := range []func(*Config) *mistake{
		(*Config).checkNames, (*Config).checkImage, (*Config).checkBoards, (*Config).checkSlots, (*Config).checkRun,
		(*Config).checkNumbers, (*Config).checkRecords, (*Config).checkPage,
	} {
		if m := check(c); m != nil {
			if row := rowOf(data, m.key); row > 0 {
				return fmt.Errorf("line %d: %s: %s", row, m.key, m.text)
			}
			return fmt.Errorf("%s: %s", m.key, m.text)
		}
	}
	c.rules.start, c.rules.repeat = c.Run.Start, c.Run.Repeat
	c.rules.stopAfter, c.rules.quota, c.rules.jobs = c.Run.StopAfter, c.Run.Quota, c.Run.Jobs
	c.rules.source = c.Boards.ID
	return nil
}

// checkNames refuses a station without a name, and names that would not show.
func (c *Config) checkNames() *mistake {
	if c.Name == "" {
		return wrong("name", "a station needs one: records tell by it who made them")
	}
	return hidden("name", c.Name)
}

// hidden refuses a text that cannot be shown as it is.
func hidden(key, text string) *mistake {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || len(text) > 100 {
		return wrong(key, "want at most 100 characters that can be printed")
	}
	return nil
}

func (c *Config) checkImage() *mistake {
	if c.Image.File == "" {
		return wrong("image.file", "the file to flash is missing")
	}
	if s := c.Image.SHA256; s != "" {
		if b, err := hex.DecodeString(s); err != nil || len(b) != 32 {
			return wrong("image.sha256", "want 64 hexadecimal digits")
		}
		c.Image.SHA256 = strings.ToLower(s)
	}
	return choice("image.mode", c.Image.Mode, "confirm-after", "test", "permanent", "upload-only")
}

// choice refuses what is none of a few words.
func choice(key, value string, words ...string) *mistake {
	if slices.Contains(words, value) {
		return nil
	}
	last := len(words) - 1
	return wrong(key, "want %s or %s", strings.Join(words[:last], ", "), words[last])
}

func (c *Config) checkBoards() *mistake {
	if c.Boards.Match == "" {
		return wrong("boards.match", "the address of the boards is missing, such as usb:2fe3:0004")
	}
	a, err := transport.ParseAddress(c.Boards.Match)
	if err != nil {
		return wrong("boards.match", "%v", err)
	}
	if a.Kind != transport.KindUSB {
		return wrong("boards.match", "want a usb: address: nothing else is plugged in and pulled out")
	}
	c.rules.match = a
	if b := c.Boards.Baud; b < 0 || b > app.MaxBaud {
		return wrong("boards.baud", "want 1 to %d", app.MaxBaud)
	}
	source, rest, _ := strings.Cut(c.Boards.ID, ":")
	if m := choice("boards.id", source, "usb", "shell", "settings", "os-info", "label", "command"); m != nil {
		return m
	}
	if source == "label" && c.Run.Start != startScan {
		return wrong("boards.id", `label needs run.start = "scan"`)
	}
	if needs := source != "usb" && source != "label"; needs != (rest != "") {
		return wrong("boards.id", "want usb, label, shell:COMMAND, settings:NAME, os-info:FORMAT or command:CMD")
	}
	return nil
}

// checkSlots takes the slots in the order of their names.
func (c *Config) checkSlots() *mistake {
	if len(c.Slots) > maxSlots {
		return wrong("slots", "at most %d", maxSlots)
	}
	for _, location := range slices.Sorted(maps.Keys(c.Slots)) {
		key, name := "slots."+location, c.Slots[location]
		if name == "" {
			return wrong(key, "a slot needs a name")
		}
		if m := hidden(key, name); m != nil {
			return m
		}
		if slices.ContainsFunc(c.rules.slots, func(p place) bool { return p.name == name }) {
			return wrong(key, "another slot has the name %q too", name)
		}
		if _, err := transport.ParseAddress("usb:location=" + location); err != nil {
			return wrong(key, "%q is no location: smpctl ports shows those of the boards", location)
		}
		c.rules.slots = append(c.rules.slots, place{name, location})
	}
	slices.SortFunc(c.rules.slots, func(a, b place) int { return compareNames(a.name, b.name) })
	return nil
}

func (c *Config) checkRun() *mistake {
	if m := choice("run.start", c.Run.Start, startPlug, startScan, startButton); m != nil {
		return m
	}
	if m := choice("run.repeat", c.Run.Repeat, repeatRefuse, repeatWarn, repeatAllow); m != nil {
		return m
	}
	if c.Run.Label != "" && c.Run.Start != startScan {
		return wrong("run.label", `labels are scanned with start = "scan" only`)
	}
	label, err := regexp.Compile(`^(?:` + c.Run.Label + `)$`)
	if err != nil {
		return wrong("run.label", "%v", err)
	}
	if c.Run.Label != "" {
		c.rules.label = label
	}
	for key, commands := range map[string][]string{"run.check": c.Run.Check, "run.before": c.Run.Before,
		"run.after": c.Run.After} {
		if slices.Contains(commands, "") {
			return wrong(key, "an empty command")
		}
	}
	return nil
}

func (c *Config) checkNumbers() *mistake {
	for _, n := range []struct {
		key       string
		value, to int
	}{
		{"run.stop_after", c.Run.StopAfter, maxCount}, {"run.quota", c.Run.Quota, maxCount},
		{"run.jobs", c.Run.Jobs, maxSlots}, {"run.retry", c.Run.Retry, maxRetry},
	} {
		if n.value < 0 || n.value > n.to {
			return wrong(n.key, "want 0 to %d", n.to)
		}
	}
	return nil
}

func (c *Config) checkRecords() *mistake {
	if c.Records.Dir == "" {
		return wrong("records.dir", "a folder for records is missing")
	}
	if c.Records.Send == "" && c.Records.TokenFile != "" {
		return wrong("records.token_file", "without records.send nothing is sent")
	}
	if c.Records.Send == "" && c.Records.CAFile != "" {
		return wrong("records.ca_file", "without records.send nothing is sent")
	}
	return nil
}

// checkPage lets a page leave this computer only behind TLS and a token.
func (c *Config) checkPage() *mistake {
	host, _, err := net.SplitHostPort(c.Page.Listen)
	if err != nil {
		return wrong("page.listen", "want ADDRESS:PORT, such as %s", defaultListen)
	}
	if (c.Page.Cert == "") != (c.Page.Key == "") {
		return wrong("page.cert", "cert and key go together")
	}
	if c.Page.TokenFile != "" && c.Page.Cert == "" {
		return wrong("page.token_file", "a token is only safe behind TLS: cert and key are missing")
	}
	local := host == "localhost"
	if a, err := netip.ParseAddr(host); err == nil {
		local = a.IsLoopback()
	} else if host != "" && !local {
		return wrong("page.listen", "want a number as address, or localhost")
	}
	if !local && c.Page.TokenFile == "" {
		return wrong("page.listen", "another address than 127.0.0.1 or ::1 needs cert, key and token_file")
	}
	return nil
}

// rowOf is the line in which a key of the file stands, counted from 1; 0 if that is not plain to see.
func rowOf(data []byte, key string) int {
	section, row := "", 0
	for text := range strings.Lines(string(data)) {
		row++
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "[") {
			section = strings.Trim(strings.SplitN(text, "]", 2)[0], "[ ") + "."
			continue
		}
		name, _, found := strings.Cut(text, "=")
		if found && section+strings.Trim(name, " \t\"'") == key {
			return row
		}
	}
	return 0
}

// compareNames orders names as people do: A2 before A10.
func compareNames(a, b string) int {
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is with how many a text begins.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
