package image_test

import (
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct {
		text string
		want image.Version
	}{
		{"1", image.Version{Major: 1}},
		{"1.2", image.Version{Major: 1, Minor: 2}},
		{"1.2.3", image.Version{Major: 1, Minor: 2, Revision: 3}},
		{"1.2.3+4", image.Version{Major: 1, Minor: 2, Revision: 3, Build: 4}},
		{"1.2.3.4", image.Version{Major: 1, Minor: 2, Revision: 3, Build: 4}},
		{"0.0.0+0", image.Version{}},
		{"255.255.65535+4294967295", image.Version{Major: 255, Minor: 255, Revision: 65535, Build: 4294967295}},
	} {
		got, err := image.ParseVersion(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseVersion(%q) = %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestParseVersionRefuses(t *testing.T) {
	for _, text := range []string{
		"", ".", "1.", ".1", "1..2", "v1.2.3", "1.2.3-rc1", "1.2.3+", "1+4", "1.2+4", "1.2.3.4+5", "1.2.3+4+5",
		"1.2.3.4.5", "256", "1.256", "1.2.65536", "1.2.3+4294967296", "1.2.3.4294967296", "01.2.3", "1.2.3+04",
		"-1", "+1", " 1", "1.2.3 ", "1_0", "0x1", "<???>", "99999999999999999999",
	} {
		v, err := image.ParseVersion(text)
		if got := kindOf(t, err); got != string(image.ErrBadVersion) {
			t.Errorf("ParseVersion(%q) = %v, %q, want %q", text, v, got, image.ErrBadVersion)
		}
	}
}

// A device may report any text as its version; it must not reach a terminal.
func TestParseVersionErrorIsPrintable(t *testing.T) {
	_, err := image.ParseVersion("1.\x1b[2J" + strings.Repeat("9", 10000))
	if text := err.Error(); strings.Contains(text, "\x1b") || len(text) > 200 {
		t.Errorf("error text %q of %d bytes, want a short printable one", text, len(text))
	}
}

func TestVersionCompare(t *testing.T) {
	ordered := []string{"0.0.0", "0.0.0+1", "0.0.1", "0.1.0", "0.1.0+4294967295", "0.1.1", "1", "1.0.0+1", "1.0.256",
		"1.2", "2"}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := version(t, a).Compare(version(t, b)); got != want {
				t.Errorf("%s.Compare(%s) = %d, want %d", a, b, got, want)
			}
			if strings.HasPrefix(a, b+"+") || strings.HasPrefix(b, a+"+") {
				want = 0
			}
			if a == "1" && b == "1.0.0+1" || a == "1.0.0+1" && b == "1" {
				want = 0
			}
			if got := version(t, a).CompareIgnoringBuild(version(t, b)); got != want {
				t.Errorf("%s.CompareIgnoringBuild(%s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func version(t *testing.T, s string) image.Version {
	t.Helper()
	v, err := image.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
