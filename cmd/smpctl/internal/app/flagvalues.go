package app

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/image"
	"github.com/spf13/pflag"
)

// VersionFlag is the version of an image.
type VersionFlag struct{ image.Version }

func (v *VersionFlag) Set(text string) (err error) {
	if v.Version, err = image.ParseVersion(text); err != nil {
		return errors.New("want up to four numbers, as 1.2.3 or 1.2.3+4, of up to 255, 255, 65535 and 4294967295")
	}
	return nil
}

func (v *VersionFlag) Type() string { return "version" }

func (v *VersionFlag) String() string {
	if v.Version == (image.Version{}) {
		return ""
	}
	return v.Version.String()
}

// Number is a flag of 32 bits, decimal or with a prefix. A leading zero is not octal, as it is not in Python.
type Number struct {
	Value uint32
	Given bool
}

var errNumber = errors.New("want a number up to 0xffffffff, as 512 or 0x200")

func (n *Number) Set(text string) error {
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil || len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		return errNumber
	}
	n.Value, n.Given = uint32(v), true
	return nil
}

// Int is the value for package image, which refuses what is too large, on machines of 32 bits too.
func (n *Number) Int() int { return int(min(n.Value, math.MaxInt32)) }

func (n *Number) Type() string { return "number" }

func (n *Number) String() string {
	if !n.Given {
		return ""
	}
	return fmt.Sprintf("%#x", n.Value)
}

// intValue is a flag that takes a whole number within limits.
type intValue struct {
	n           *int
	least, most int
}

// IntVar declares a flag that takes a whole number within limits. Without the flag n stays as it is.
func IntVar(f *pflag.FlagSet, n *int, name, short string, least, most int, text string) {
	f.VarP(&intValue{n, least, most}, name, short, text)
}

func (v *intValue) Set(text string) error {
	n, err := strconv.ParseInt(text, 0, 0)
	if err != nil || int(n) < v.least || int(n) > v.most {
		return fmt.Errorf("want %d to %d", v.least, v.most)
	}
	*v.n = int(n)
	return nil
}

func (v *intValue) String() string { return strconv.Itoa(*v.n) }

func (v *intValue) Type() string { return "int" }

// Choice is a flag that takes one of a few values.
type Choice struct{ *choiceValue }

type choiceValue struct {
	value   string
	allowed []string
}

// NewChoice declares a choice; the first value is the default.
func NewChoice(f *pflag.FlagSet, name, short, text string, allowed ...string) Choice {
	c := Choice{&choiceValue{allowed[0], allowed}}
	f.VarP(c, name, short, text)
	return c
}

func (c *choiceValue) Set(text string) error {
	if text == "" || !slices.Contains(c.allowed, text) {
		return errors.New("want " + human.Or(c.Allowed()))
	}
	c.value = text
	return nil
}

// Allowed lists the values that there are to choose from.
func (c *choiceValue) Allowed() []string {
	if c.allowed[0] == "" {
		return c.allowed[1:]
	}
	return c.allowed
}

func (c *choiceValue) Is(value string) bool { return c.value == value }

// Int is the value of a choice among numbers, 0 if there is none.
func (c *choiceValue) Int() int {
	n, _ := strconv.Atoi(c.value)
	return n
}

func (c *choiceValue) Type() string { return "choice" }

func (c *choiceValue) String() string { return c.value }

// Tagged is a flag that gives entries: TAG=VALUE, again for each.
type Tagged []taggedValue

type taggedValue struct {
	Tag  image.TLVType
	Text string
}

func (t *Tagged) Set(text string) error {
	tag, value, ok := strings.Cut(text, "=")
	var n Number
	if err := n.Set(tag); !ok || err != nil || n.Value > math.MaxUint16 {
		return errors.New("want TAG=VALUE, with a number as the tag")
	}
	*t = append(*t, taggedValue{image.TLVType(n.Value), value})
	return nil
}

// GetSlice gives the entries as they were written.
func (t *Tagged) GetSlice() []string {
	var list []string
	for _, entry := range *t {
		list = append(list, fmt.Sprintf("%#x=%s", uint16(entry.Tag), entry.Text))
	}
	return list
}

func (t *Tagged) Type() string { return "TAG=VALUE" }

func (t *Tagged) String() string { return "" }

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
