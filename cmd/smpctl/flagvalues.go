package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/spf13/pflag"
)

// versionFlag is the version of an image.
type versionFlag struct{ image.Version }

func (v *versionFlag) Set(text string) (err error) {
	v.Version, err = image.ParseVersion(text)
	return err
}

func (v *versionFlag) Type() string { return "version" }

func (v *versionFlag) String() string {
	if v.Version == (image.Version{}) {
		return ""
	}
	return v.Version.String()
}

// number is a flag of 32 bits, decimal or with a prefix. A leading zero is not octal, as it is not in Python.
type number struct {
	value uint32
	set   bool
}

var errNumber = errors.New("want a number up to 0xffffffff, as 512 or 0x200")

func (n *number) Set(text string) error {
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil || len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		return errNumber
	}
	n.value, n.set = uint32(v), true
	return nil
}

// int is the value for package image, which refuses what is too large, on machines of 32 bits too.
func (n *number) int() int { return int(min(n.value, math.MaxInt32)) }

func (n *number) Type() string { return "number" }

func (n *number) String() string {
	if !n.set {
		return ""
	}
	return fmt.Sprintf("%#x", n.value)
}

// choice is a flag that takes one of a few values.
type choice struct{ *choiceValue }

type choiceValue struct {
	value   string
	allowed []string
}

// newChoice declares a choice; the first value is the default.
func newChoice(f *pflag.FlagSet, name, short, text string, allowed ...string) choice {
	c := choice{&choiceValue{allowed[0], allowed}}
	f.VarP(c, name, short, text)
	return c
}

func (c *choiceValue) Set(text string) error {
	if text == "" || !slices.Contains(c.allowed, text) {
		return fmt.Errorf("want %s", strings.TrimPrefix(strings.Join(c.allowed, ", "), ", "))
	}
	c.value = text
	return nil
}

func (c *choiceValue) is(value string) bool { return c.value == value }

// int is the value of a choice among numbers, 0 if there is none.
func (c *choiceValue) int() int {
	n, _ := strconv.Atoi(c.value)
	return n
}

func (c *choiceValue) Type() string { return "string" }

func (c *choiceValue) String() string { return c.value }

// tagged is a flag that gives entries: TAG=VALUE, again for each.
type tagged []struct {
	tag  image.TLVType
	text string
}

func (t *tagged) Set(text string) error {
	tag, value, ok := strings.Cut(text, "=")
	var n number
	if err := n.Set(tag); !ok || err != nil || n.value > math.MaxUint16 {
		return errors.New("want TAG=VALUE, with a number as the tag")
	}
	*t = append(*t, struct {
		tag  image.TLVType
		text string
	}{image.TLVType(n.value), value})
	return nil
}

// GetSlice gives the entries as they were written.
func (t *tagged) GetSlice() []string {
	var list []string
	for _, entry := range *t {
		list = append(list, fmt.Sprintf("%#x=%s", uint16(entry.tag), entry.text))
	}
	return list
}

func (t *tagged) Type() string { return "TAG=VALUE" }

func (t *tagged) String() string { return "" }

// joinPairs makes one argument of imgtool's --custom-tlv TAG VALUE, which takes two.
func joinPairs(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(out, args[i:]...)
		}
		if (args[i] == "--custom-tlv" || args[i] == "--custom-tlv-file") && i+2 < len(args) &&
			!strings.Contains(args[i+1], "=") {
			out = append(out, args[i], args[i+1]+"="+args[i+2])
			i += 2
			continue
		}
		out = append(out, args[i])
	}
	return out
}
