package boards

import (
	"fmt"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	var f Fields
	for _, tt := range []struct{ text, want string }{ // part of the error; empty: none
		{"order=4711", ""},
		{"label=SN0001234", ""},
		{"empty=", ""},
		{"a.b-c_D=x=y z", ""},
		{"long=" + strings.Repeat("ä", maxFieldValue), ""},
		{"order=4712", "order is there twice"},
		{"order", "want NAME=VALUE"},
		{"=x", "want a name"},
		{"a b=x", "want a name"},
		{"ä=x", "want a name"},
		{strings.Repeat("k", 65) + "=x", "want a name"},
		{"x=a\nb", "printable"},
		{"x=\x1b[2J", "printable"},
		{"x=\xff", "printable"},
		{"y=" + strings.Repeat("v", maxFieldValue+1), "at most 256"},
	} {
		err := f.Set(tt.text)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: got %v, want %q", tt.text, err, tt.want)
		}
	}
	if got := f["a.b-c_D"]; len(f) != 5 || got != "x=y z" {
		t.Errorf("%d fields, a value %q", len(f), got)
	}
	for i := len(f); i < maxFields; i++ {
		if err := f.Set(fmt.Sprintf("f%d=", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Set("more="); err == nil || len(f) != maxFields {
		t.Errorf("%d fields, error %v", len(f), err)
	}
}
