package station

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// least is the shortest file of a station.
const least = `name = "line2-a"
[image]
file = "app.signed.bin"
[boards]
match = "usb:2fe3:0004"
[records]
dir = "records"
`

func TestTheFileOfTheContract(t *testing.T) {
	c, err := parseConfig([]byte(`name = "line2-a"
[image]
file = "app-2.0.0.signed.bin"
sha256 = "`+strings.Repeat("aB", 32)+`"
key = "fw.pub.pem"
mode = "confirm-after"
[boards]
match = "usb:2fe3:0004"
id = "shell:hwinfo devid"
[boards.expect]
board = "acme_v3"
[slots]
"1-1.10" = "A10"
"1-1.1" = "A1"
"1-1.2" = "A2"
[run]
start = "scan"
label = '^SN\d{7}$'
repeat = "warn"
stop_after = 3
quota = 500
check = ["./selftest.sh"]
[records]
dir = "records"
send = "https://mes.example/v1/records"
token_file = "token"
`), "/srv/line2")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.path(c.Image.File); got != filepath.Join("/srv/line2", "app-2.0.0.signed.bin") {
		t.Errorf("path of the image: %s", got)
	}
	var slots []string
	for _, p := range c.rules.slots {
		slots = append(slots, p.name+"="+p.location)
	}
	if got := strings.Join(slots, " "); got != "A1=1-1.1 A2=1-1.2 A10=1-1.10" {
		t.Errorf("slots %s", got)
	}
	if !c.rules.label.MatchString("SN0001234") || c.rules.label.MatchString("xSN0001234") {
		t.Errorf("label %v", c.rules.label)
	}
	if c.rules.repeat != repeatWarn || c.rules.stopAfter != 3 || c.rules.quota != 500 || c.rules.jobs != 64 ||
		c.Boards.Expect.Board != "acme_v3" || c.Image.SHA256 != strings.Repeat("ab", 32) {
		t.Errorf("read %+v", c)
	}
}

func TestWhatAFileLeavesOut(t *testing.T) {
	c, err := parseConfig([]byte(least), "/srv")
	if err != nil {
		t.Fatal(err)
	}
	r := c.rules
	if r.start != startPlug || r.repeat != repeatRefuse || r.source != "usb" || r.jobs != 64 || r.stopAfter != 0 ||
		c.Image.Mode != "confirm-after" || c.Page.Listen != "127.0.0.1:8417" {
		t.Errorf("read %+v with %+v", c, r)
	}
}

func TestMistakesInAFile(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "name: a station needs one: records tell by it who made them"},
		{"no TOML", "name = line2-a\n", "line 1: "},
		{"unknown key", least + "[run]\nstarts = \"plug\"\n", "line 9: unknown key run.starts"},
		{"unknown section", least + "[runs]\nstart = \"plug\"\n", "line 8: unknown key runs"},
		{"two unknown keys", "names = 1\n" + least + "[run]\nquotta = 1\n",
			"line 1: unknown key names; line 10: unknown key run.quotta"},
		{"same key twice", least + "dir = \"other\"\n", "line 8: "},
		{"text for a number", least + "[run]\nquota = \"many\"\n", "line 9: "},
		{"start", least + "[run]\nstart = \"push\"\n", "line 9: run.start: want plug, scan or button"},
		{"repeat", least + "[run]\nrepeat = \"no\"\n", "line 9: run.repeat: want refuse, warn or allow"},
		{"quota", least + "[run]\nquota = -1\n", "line 9: run.quota: want 0 to 1000000"},
		{"jobs", least + "[run]\njobs = 65\n", "line 9: run.jobs: want 0 to 64"},
		{"label without scan", least + "[run]\nlabel = \"x\"\n", `line 9: run.label: labels are scanned with start = "scan" only`},
		{"label", least + "[run]\nstart = \"scan\"\nlabel = \"(\"\n", "line 10: run.label: error parsing regexp"},
		{"empty command", least + "[run]\ncheck = [\"\"]\n", "line 9: run.check: an empty command"},
		{"mode", strings.Replace(least, "file", "mode = \"never\"\nfile", 1),
			"line 3: image.mode: want confirm-after, test, permanent or upload-only"},
		{"sha256", strings.Replace(least, "file", "sha256 = \"ab\"\nfile", 1), "line 3: image.sha256: want 64 hexadecimal"},
		{"no file", strings.Replace(least, "file = \"app.signed.bin\"", "", 1), "image.file: the file to flash is missing"},
		{"match", strings.Replace(least, "usb:2fe3:0004", "usb:xyz", 1), "line 5: boards.match: "},
		{"match of a path", strings.Replace(least, "usb:2fe3:0004", "/dev/ttyACM0", 1),
			"line 5: boards.match: want a usb: address"},
		{"id", strings.Replace(least, "[records]", "id = \"mac\"\n[records]", 1), "line 6: boards.id: want usb, shell,"},
		{"id without command", strings.Replace(least, "[records]", "id = \"shell\"\n[records]", 1), "line 6: boards.id: "},
		{"id of a label", strings.Replace(least, "[records]", "id = \"label\"\n[records]", 1),
			`line 6: boards.id: label needs run.start = "scan"`},
		{"slot twice", least + "[slots]\n\"1-1.1\" = \"A1\"\n\"1-1.2\" = \"A1\"\n",
			`line 10: slots.1-1.2: another slot has the name "A1" too`},
		{"slot without a name", least + "[slots]\n\"1-1.1\" = \"\"\n", "line 9: slots.1-1.1: a slot needs a name"},
		{"slot that steers", least + "[slots]\n\"1-1.1\" = \"A\\u001b[2J\"\n", "line 9: slots.1-1.1: want at most 100"},
		{"no records", strings.Replace(least, "dir", "#dir", 1), "records.dir: a folder for records is missing"},
		{"token without send", least + "token_file = \"x\"\n", "line 8: records.token_file: without records.send"},
		{"page for all", least + "[page]\nlisten = \":8417\"\n",
			"line 9: page.listen: another address than 127.0.0.1 or ::1 needs cert, key and token_file"},
		{"page for all without a token", least + "[page]\nlisten = \"0.0.0.0:8417\"\ncert = \"c\"\nkey = \"k\"\n",
			"line 9: page.listen: another address"},
		{"page by name", least + "[page]\nlisten = \"station:8417\"\n", "line 9: page.listen: want a number as address"},
		{"page without a port", least + "[page]\nlisten = \"127.0.0.1\"\n", "line 9: page.listen: want ADDRESS:PORT"},
		{"cert without key", least + "[page]\ncert = \"c\"\n", "line 9: page.cert: cert and key go together"},
		{"token in the clear", least + "[page]\ntoken_file = \"t\"\n", "line 9: page.token_file: a token is only safe behind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseConfig([]byte(tt.text), "/srv")
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %s…", err, tt.want)
			}
		})
	}
}

func TestAFileOfAnEditorOfWindows(t *testing.T) {
	text := "\ufeff" + strings.ReplaceAll(least, "\n", "\r\n")
	if _, err := parseConfig([]byte(text), "/srv"); err != nil {
		t.Error(err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(least))
	if text, err := os.ReadFile("doc.go"); err == nil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text, "/srv")
		if err == nil && (c.Name == "" || len(c.rules.slots) > maxSlots || c.rules.jobs < 1) {
			t.Errorf("accepted %+v", c)
		}
	})
}
