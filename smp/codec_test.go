package smp

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

// walk collects what pairs gives.
func walk(b []byte) (got []string, err error) {
	err = pairs(b, func(key string, value cbor.RawMessage) error {
		got = append(got, fmt.Sprintf("%s=%x", key, value))
		return nil
	})
	return got, err
}

func TestPairs(t *testing.T) {
	big := make(map[string]int)
	for i := range 300 {
		big[fmt.Sprintf("%03d", i)] = 0
	}
	encoded, err := cbor.Marshal(big) // a head of three bytes
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		b    []byte
		want string // of the pairs, joined
		err  bool
	}{
		{"empty", []byte{0xa0}, "", false},
		{"empty, indefinite", []byte{0xbf, 0xff}, "", false},
		{"two in order, one name", []byte("\xa2\x61b\x01\x61b\x02"), "b=01 b=02", false},
		{"indefinite", []byte("\xbf\x61b\x81\x01\x60\xa0\xff"), "b=8101 =a0", false},
		{"head of two bytes", []byte("\xb8\x01\x61b\x01"), "b=01", false},
		{"head of two bytes missing", []byte{0xb8}, "", true},
		{"head of three bytes missing", []byte{0xb9, 0}, "", true},
		{"head of five bytes", []byte("\xba\x00\x00\x00\x01\x61b\x01"), "b=01", false},
		{"reserved head", []byte{0xbc}, "", true},
		{"too few", []byte("\xa2\x61b\x01"), "b=01", true},
		{"no end", []byte("\xbf\x61b\x01"), "b=01", true},
		{"key without value", []byte("\xbf\x61b\xff"), "", true},
		{"number as key", []byte("\xa1\x01\x01"), "", true},
		{"more than a device has", []byte("\xbf" + strings.Repeat("\x60\x00", maxMap+1) + "\xff"),
			strings.TrimSpace(strings.Repeat("=00 ", maxMap)), true},
		{"no map", []byte{0x80}, "", true},
		{"nothing", nil, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := walk(tt.b)
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" || tt.err != (err != nil) {
				t.Errorf("pairs: %v, want an error: %v (-want +got):\n%s", err, tt.err, diff)
			}
		})
	}
	if got, err := walk(encoded); len(got) != 300 || err != nil {
		t.Errorf("%d of 300 pairs, %v", len(got), err)
	}
}

// What pairs takes, the decoder takes too, and both see as many pairs.
func FuzzPairs(f *testing.F) {
	for _, s := range []string{"\xa0", "\xbf\xff", "\xa2\x61b\x01\x61c\x02", "\xb8\x01\x61b\x01",
		"\xb9\x00\x01\x60\xa0", "\xbf\x60\xbf\xff\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := walk(b)
		if err != nil {
			return
		}
		var m map[any]cbor.RawMessage
		mode := must(cbor.DecOptions{TagsMd: cbor.TagsForbidden, UTF8: cbor.UTF8DecodeInvalid}.DecMode())
		if _, err := mode.UnmarshalFirst(b, &m); err != nil {
			t.Fatalf("pairs takes %x, the decoder does not: %v", b, err)
		}
		if len(m) > len(got) {
			t.Errorf("%x: %d pairs, the decoder sees %d keys", b, len(got), len(m))
		}
	})
}

func TestPrintable(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"no room in slot 1", "no room in slot 1"},
		{`"quoted" 100% \ naïve 测试`, `"quoted" 100% \ naïve 测试`},
		{"\x1b[2J\r\nrm", `\x1b[2J\r\nrm`},
		{"tab\tand \"quote\"\x00", `tab\tand "quote"\x00`},
		{"turned \u202e round", `turned \u202e round`},
		{"\x9b0m", `\x9b0m`},
		{"\u009b0m", `\u009b0m`},
		{"cut\xc3", `cut\xc3`},
		{strings.Repeat("x", 513), strings.Repeat("x", 512) + "…"},
		{strings.Repeat("x", 511) + "é", strings.Repeat("x", 511) + `\xc3…`},
	}
	for _, tt := range tests {
		if got := printable(tt.in); got != tt.want {
			t.Errorf("printable(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

// When the computer wakes up, timers have fired and answers have come; the answers count.
func TestAnswerBeatsTimer(t *testing.T) {
	for range 100 {
		done := make(chan *call, 1)
		fired := make(chan time.Time, 1)
		cl := new(call)
		done <- cl
		fired <- time.Time{}
		if got, err := await(context.Background(), done, fired); got != cl || err != nil {
			t.Fatalf("await = %v, %v, want the call", got, err)
		}
	}
}
