package bootlog

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// kind is what a line is about.
type kind int

const (
	other       kind = iota // nothing that is known here
	start                   // the bootloader begins
	swapType                // what the slots ask for
	refused                 // why an image is not started, or not moved
	application             // the bootloader is over: the application begins
)

// event is a line, understood.
type event struct {
	kind        kind
	level       byte   // E, W, I or D; 0 if the line does not say
	text        string // without prefix, colours, control characters and line end
	swap        string // of swapType: none, test, perm, revert or fail
	application bool   // the prefix is that of MCUboot's library in an application
}

// pattern is compiled at its first use: most programs that import this never read a line.
type pattern func() *regexp.Regexp

func lazily(text string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// patterns are tried in this order. Capital letters came and went with versions.
var patterns = []struct {
	kind kind
	text pattern
}{
	{start, lazily(`^\*\*\* Booting MCUboot|^Starting (Direct-XIP )?bootloader`)},
	{application, lazily(`^\*\*\* Booting |^Jumping to the (first )?image slot`)},
	{swapType, lazily(`^(?:Image(?: index:)? \d+,? )?Swap type: (none|test|perm|revert|fail)$`)},

	// loader.c
	{refused, lazily(`(?i)^Image in (the primary slot|the secondary slot|slot \d+) is not valid`)},
	{refused, lazily(`(?i)^Image in (primary|secondary) slot at 0x[0-9a-f]+ has been built for offset `)},
	{refused, lazily(`(?i)^Insufficient version in secondary slot`)},
	{refused, lazily(`(?i)erased due to downgrade prevention`)},
	{refused, lazily(`(?i)^Secondary header magic detected in first sector`)},
	{refused, lazily(`(?i)^Binary in secondary slot of image \d+ is not designated for the primary slot`)},
	{refused, lazily(`(?i)^Failed to read image \d+ load address`)},
	{refused, lazily(`(?i)^Bad image magic |^Image not bootable|^Image size bigger than designated area`)},
	{refused, lazily(`(?i)^Unable to find bootable image|^No slot to load for image `)},
	// image_validate.c and what checks signatures
	{refused, lazily(`(?i)^Image security counter value \d+ lower than |^Security counter update is not possible`)},
	{refused, lazily(`(?i)(signature|hash|mac) (verification|check|validation) failed`)},
	// swap_*.c
	{refused, lazily(`(?i)^Cannot upgrade: |^Not enough free space to run swap upgrade`)},
	// ram_load.c
	{refused, lazily(`(?i)^Image (\d+ )?RAM load address 0x[0-9a-f]+ is invalid`)},
	{refused, lazily(`(?i)^Image \d+ RAM loading to (address )?0x[0-9a-f]+ (is failed|would overlap)`)},
	{refused, lazily(`(?i)^Error whilst copying image \d+ from Flash to SRAM`)},
}

// prefix is what a log backend puts before the text: "E: " of Zephyr's minimal log,
// "[00:00:00.010,000] <err> mcuboot: " of its full one, "[ERR] " of other systems, perhaps behind the name of the chip.
var prefix = lazily(`^(?:` +
	`([EWID]): |` +
	`(?:\[[^\]]*\] )?<(err|wrn|inf|dbg)> ([\w.]+): |` +
	`(?:\[\w+\] )?\[(ERR|WRN|INF|DBG)\] ?)`)

// parse understands one line, with or without colours and line end. Of a long line only the beginning counts.
func parse(line string) event {
	text := Clean(line[:min(len(line), maxLine)])
	var e event
	if m := prefix().FindStringSubmatch(text); m != nil {
		level := m[1] + m[2] + m[4]
		e.level = byte(unicode.ToUpper(rune(level[0])))
		e.application = m[3] != "" && m[3] != "mcuboot"
		text = text[len(m[0]):]
	}
	e.text = text
	for _, p := range patterns {
		if m := p.text().FindStringSubmatch(text); m != nil {
			e.kind = p.kind
			if p.kind == swapType {
				e.swap = m[1]
			}
			return e
		}
	}
	return e
}

var escapes = lazily(`\x1b\[[0-9;:?]*[ -/]*(?:[@-~]|$)`)

// Clean takes from a line what is not text: escape sequences, line end and other control characters.
func Clean(line string) string {
	if strings.IndexFunc(line, unclean) < 0 {
		return line
	}
	line = escapes().ReplaceAllString(strings.ToValidUTF8(line, "\uFFFD"), "")
	return strings.TrimRight(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unclean(r):
			return -1
		}
		return r
	}, line), " ")
}

func unclean(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
}
