package group

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// settingResult is a value in every form that it can have.
type settingResult struct {
	Name  string  `json:"name"` // of the setting
	Size  int     `json:"bytes"`
	Hex   string  `json:"hex"`            // the value in hexadecimal digits
	Text_ *string `json:"text,omitempty"` // the value as text, if it is one
	Int   *int64  `json:"int,omitempty"`  // as a signed little-endian number, if it has 1, 2, 4 or 8 bytes
	Uint  *uint64 `json:"uint,omitempty"` // as an unsigned one
	File  string  `json:"file,omitempty"` // path of the file that it was written to

	only *string // the one form that the user asked for
}

func newSettingResult(name string, value []byte) settingResult {
	r := settingResult{Name: name, Size: len(value), Hex: hex.EncodeToString(value)}
	if s := strings.TrimSuffix(string(value), "\x00"); utf8.ValidString(s) &&
		!strings.ContainsFunc(s, screen.Unprintable) {
		r.Text_ = &s
	}
	if n, ok := integer(value); ok {
		signed := int64(n) << (64 - 8*len(value)) >> (64 - 8*len(value))
		r.Uint, r.Int = &n, &signed
	}
	return r
}

// integer reads a little-endian number of 1, 2, 4 or 8 bytes.
func integer(b []byte) (uint64, bool) {
	switch len(b) {
	case 1, 2, 4, 8:
		var eight [8]byte
		copy(eight[:], b)
		return binary.LittleEndian.Uint64(eight[:]), true
	}
	return 0, false
}

// settingForms are the forms in which a value can be asked for.
var settingForms = map[string]func(settingResult) (string, bool){
	"hex": func(r settingResult) (string, bool) { return r.Hex, true },
	"text": func(r settingResult) (string, bool) {
		if r.Text_ == nil {
			return "", false
		}
		return *r.Text_, true
	},
	"int": func(r settingResult) (string, bool) {
		if r.Int == nil {
			return "", false
		}
		return fmt.Sprint(*r.Int), true
	},
	"uint": func(r settingResult) (string, bool) {
		if r.Uint == nil {
			return "", false
		}
		return fmt.Sprint(*r.Uint), true
	},
}

func (r settingResult) Text(w io.Writer) error {
	if r.only != nil {
		_, err := fmt.Fprintln(w, *r.only)
		return err
	}
	if r.File != "" {
		_, err := fmt.Fprintf(w, "%d bytes in %s\n", r.Size, r.File)
		return err
	}
	if r.Text_ != nil {
		fmt.Fprintf(w, "text: %s\n", *r.Text_)
	}
	fmt.Fprintf(w, "hex:  %s\n", r.Hex)
	if r.Uint != nil {
		fmt.Fprintf(w, "int:  %d", *r.Uint)
		if *r.Int < 0 {
			fmt.Fprintf(w, " or %d", *r.Int)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// parseHex reads bytes in hexadecimal digits, with spaces or colons between them if the user likes.
func parseHex(flag, s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "").Replace(s))
	if err != nil {
		return nil, failure.Usage("%s %q: want hexadecimal digits, two for each byte", flag, s)
	}
	return b, nil
}

// parseInteger reads NUMBER[:SIZE].
func parseInteger(s string) ([]byte, error) {
	number, sizeText, sized := strings.Cut(s, ":")
	size := 4
	if sized {
		var ok bool
		if size, ok = map[string]int{"1": 1, "2": 2, "4": 4, "8": 8}[sizeText]; !ok {
			return nil, failure.Usage("--int %q: want a size of 1, 2, 4 or 8 bytes", s)
		}
	}
	bits := 8 * size
	if n, err := strconv.ParseUint(number, 0, bits); err == nil {
		return binary.LittleEndian.AppendUint64(nil, n)[:size], nil
	}
	n, err := strconv.ParseInt(number, 0, bits)
	if err != nil {
		return nil, failure.Usage("--int %q: want a number that fits %s", s, human.Count(size, "byte"))
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(n))[:size], nil
}
