package boards

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// What a user may add to a record.
const (
	maxFields     = 32
	maxFieldValue = 256 // characters
)

// labelField is the field with what was scanned from the board, for --id label.
const labelField = "label"

// Fields are what the user adds to records: the flag --field K=V, again for each.
type Fields map[string]string

var fieldName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// Set takes K=V.
func (f *Fields) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	_, known := (*f)[key]
	switch {
	case !ok:
		return errors.New("want NAME=VALUE")
	case !fieldName.MatchString(key):
		return errors.New("want a name of 1 to 64 letters, digits, dots, dashes and underscores before the =")
	case !label(value, maxFieldValue):
		return fmt.Errorf("want at most %d printable characters behind the =", maxFieldValue)
	case known:
		return fmt.Errorf("%s is there twice", key)
	case len(*f) == maxFields:
		return fmt.Errorf("want at most %d fields", maxFields)
	}
	if *f == nil {
		*f = Fields{}
	}
	(*f)[key] = value
	return nil
}

// String shows the fields in the order of their names.
func (f *Fields) String() string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(*f)) {
		list = append(list, key+"="+(*f)[key])
	}
	return strings.Join(list, ",")
}

func (f *Fields) Type() string { return "name=value" }
