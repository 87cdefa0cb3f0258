package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groups reports whether a command does nothing but group others.
func groups(cmd *cobra.Command) bool {
	return cmd.HasSubCommands() && (cmd.Args == nil || !cmd.HasParent())
}

// UnknownCommand says which command may have been meant.
func UnknownCommand(cmd *cobra.Command, name string) error {
	err := failure.Usage("unknown command %s", quotedCommand(cmd, ellipsis(name)))
	if near := commandsLike(cmd, name); len(near) > 0 {
		return failure.WithHint(err, fmt.Sprintf("did you mean %s? %s lists the commands", human.Or(near), helpOf(cmd)))
	}
	return failure.WithHint(err, helpOf(cmd)+" lists the commands")
}

func quotedCommand(cmd *cobra.Command, name string) string {
	if path := shortPath(cmd); cmd.HasParent() {
		return fmt.Sprintf("%q", path+" "+name)
	}
	return fmt.Sprintf("%q", name)
}

// commandsLike finds what a name may have been meant for: by what the commands at hand say that people call them, by
// its letters, and anywhere in the tree by name.
func commandsLike(cmd *cobra.Command, name string) []string {
	name = strings.ToLower(name)
	var found []string
	for _, c := range cmd.Commands() {
		if slices.Contains(c.SuggestFor, name) {
			found = append(found, c.CommandPath())
		}
	}
	if len(found) > 0 {
		return found
	}
	var near nearest
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			near.try(name, c.CommandPath(), append([]string{c.Name()}, c.Aliases...)...)
		}
	}
	found = commandsNamed(cmd.Root(), name, !cmd.HasParent())
	if len(near.names) > 0 && (near.off == 1 || len(found) == 0) {
		return near.names
	}
	return found[:min(len(found), mostSuggestions)]
}

// commandsNamed lists the commands of a tree that have a name, or loosely, that people call so.
func commandsNamed(cmd *cobra.Command, name string, loosely bool) (found []string) {
	for _, c := range cmd.Commands() {
		called := c.Name() == name || c.HasAlias(name) || loosely && slices.Contains(c.SuggestFor, name)
		if c.IsAvailableCommand() && called {
			found = append(found, c.CommandPath())
		}
		found = append(found, commandsNamed(c, name, loosely)...)
	}
	return found
}

// otherNames are what people call flags, in other programs or in words.
var otherNames = map[string]string{
	"verbose": "loglevel", "debug": "loglevel", "v": "loglevel", "silent": "quiet",
	"device": "port", "dev": "port", "serial": "port", "serial-port": "port", "address": "port", "host": "port",
	"baudrate": "baud", "speed": "baud", "bps": "baud", "bitrate": "baud",
	"retries": "tries", "retry": "tries", "profile": "conn", "connection": "conn", "mtu": "buffer",
	"public-key": "key", "pubkey": "key", "out": "output", "confirm": "mode", "test": "mode", "permanent": "mode",
	"slots": "slot", "log-file": "log", "v1": "smp-version", "v2": "smp-version",
}

// flagsLike finds what a flag may have been meant for: among the flags of the command, or as that of another command.
func flagsLike(cmd *cobra.Command, name string, letter bool) []string {
	if !letter { // -V and -v are two
		name = strings.ToLower(name)
	}
	if f := cmd.Flags().Lookup(otherNames[name]); f != nil {
		return []string{"--" + f.Name}
	}
	if letter {
		return nil
	}
	var near nearest
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			near.try(name, "--"+f.Name, f.Name)
		}
	})
	if len(near.names) > 0 {
		return near.names
	}
	found := commandsWith(cmd.Root(), name)
	return found[:min(len(found), mostSuggestions)]
}

// commandsWith lists the commands of a tree that have a flag, with it behind them.
func commandsWith(cmd *cobra.Command, flag string) (found []string) {
	if cmd.LocalNonPersistentFlags().Lookup(flag) != nil {
		found = append(found, cmd.CommandPath()+" --"+flag)
	}
	for _, c := range cmd.Commands() {
		found = append(found, commandsWith(c, flag)...)
	}
	return found
}

const (
	mostSuggestions = 3  // keep a hint readable
	longestName     = 40 // letters; no name of ours is longer
)

// nearest collects the names that are written most like another one.
type nearest struct {
	names []string
	off   int // letters, of those so far
}

// try takes a name if one of its spellings is like enough, and none was more so.
func (n *nearest) try(typed, name string, spellings ...string) {
	if len(typed) > longestName {
		return
	}
	off := len(typed)
	for _, s := range spellings {
		off = min(off, distance(typed, s))
		if len(typed) >= 3 && (strings.HasPrefix(s, typed) || strings.HasPrefix(typed, s+"-")) {
			off = min(off, 1)
		}
	}
	switch {
	case off > 2 || off*2 >= len(typed):
		return
	case len(n.names) > 0 && off > n.off:
		return
	case len(n.names) > 0 && off < n.off:
		n.names = nil
	}
	if n.off = off; len(n.names) < mostSuggestions {
		n.names = append(n.names, name)
	}
}

// distance is the number of letters that one word has more, less, other or swapped with its neighbour than another
// (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	d := make([][]int, len(s)+1)
	for i := range d {
		d[i] = make([]int, len(t)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			other := 1
			if s[i-1] == t[j-1] {
				other = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+other)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}
