package boards

import (
	"strings"
	"testing"
)

func TestSource(t *testing.T) {
	for text, want := range map[string]string{ // part of the error; empty: none
		"usb":                "",
		"label":              "",
		"shell:hwinfo devid": "",
		"settings:a/b:c":     "",
		"os-info:s":          "",
		"command:./id.sh":    "",
		"":                   "want usb, shell:COMMAND, settings:NAME, os-info:FORMAT, label or command:CMD",
		"serial":             "want usb",
		"USB":                "want usb",
		"usb:1":              "usb takes no argument",
		"label:":             "label takes no argument",
		"shell":              "what to ask is missing: shell:COMMAND",
		"settings: ":         "what to ask is missing: settings:NAME",
	} {
		var s Source
		err := s.Set(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
		if err == nil && s.String() != text {
			t.Errorf("%q is shown as %q", text, s.String())
		}
	}
}

// TestLastWord: the identity in what shells print.
func TestLastWord(t *testing.T) {
	for output, want := range map[string]string{
		"Length: 12\r\nID: 0x313233\r\n":       "0x313233",
		"\x1b[1;32mSN0001\x1b[0m \n":           "SN0001",
		"0001":                                 "0001",
		"":                                     "",
		" \n\n":                                "",
		"\x1b[mhwinfo: no device id\n\x1b[0m ": "id",
	} {
		if got := lastWord(output); got != want {
			t.Errorf("lastWord(%q) = %q, want %q", output, got, want)
		}
	}
}

func TestSettingText(t *testing.T) {
	for value, want := range map[string]string{
		"SN1":                            "SN1",
		"SN1\x00":                        "SN1",
		"\x01\x02\x00":                   "010200",
		"\x00\x00":                       "0000",
		"":                               "",
		"\xff":                           "ff",
		"a\nb":                           "610a62",
		strings.Repeat("a", maxIdentity): strings.Repeat("a", maxIdentity),
	} {
		if got := settingText([]byte(value)); got != want {
			t.Errorf("settingText(%q) = %q, want %q", value, got, want)
		}
	}
}

func TestCheckIdentity(t *testing.T) {
	for id, fine := range map[string]bool{
		"E66C": true, "SN 0001": true, "größe": true, strings.Repeat("ä", maxIdentity): true,
		"": false, "a\nb": false, "a\tb": false, "\x1b[2J": false, "\xff": false, "a\u202eb": false,
		strings.Repeat("a", maxIdentity+1): false,
	} {
		if err := CheckIdentity(id); (err == nil) != fine {
			t.Errorf("%q: %v", id, err)
		}
	}
}
