package trace

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
)

// a packet as package transport traces it, without the words that nobody reads.
func traced(ms float64, direction byte, p []byte) string {
	return fmt.Sprintf("%.6f %c write v2 group 0 id 0 seq 0 len 0 %x\n", ms/1e3, direction, p)
}

func makePacket(op smp.Op, g smp.Group, command, seq uint8, payload string) []byte {
	b := []byte(payload)
	if digits, ok := strings.CutPrefix(payload, "hex:"); ok {
		b, _ = hex.DecodeString(digits)
	}
	h := smp.Header{Version: smp.V2, Op: op, Group: g, Command: command, Sequence: seq, Length: uint16(len(b))}
	return append(h.Append(nil), b...)
}

func sent(ms float64, g smp.Group, command, seq uint8, payload string) string {
	return traced(ms, '>', makePacket(smp.Write, g, command, seq, payload))
}

func received(ms float64, g smp.Group, command, seq uint8, payload string) string {
	return traced(ms, '<', makePacket(smp.WriteResponse, g, command, seq, payload))
}

// rowsOf are the rows of lines, from the first connection on, without the bytes.
func rowsOf(t *testing.T, lines ...string) []string {
	t.Helper()
	var table table
	var text []byte
	for _, line := range append([]string{"# smp trace\n"}, lines...) {
		text = table.add(text, line, time.Time{}, 0)
	}
	checkRows(t, string(text))
	var rows []string
	for row := range strings.Lines(string(text)) {
		if !strings.HasPrefix(row, "#") && !strings.Contains(row, "= ") {
			words, _, _ := strings.Cut(row, strings.Repeat(" ", 8)+"| ")
			rows = append(rows, strings.TrimRight(words, " \n"))
		}
	}
	return rows
}

// checkRows holds what every trace is: printable ASCII, and words of 120 columns.
func checkRows(t *testing.T, text string) {
	t.Helper()
	for row := range strings.Lines(text) {
		row, whole := strings.CutSuffix(row, "\n")
		if i := strings.IndexFunc(row, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 || !whole {
			t.Errorf("row with something else than printable ASCII at %d, or without end: %q", i, row)
		}
		if len(row) > wordsEnd && (len(row) <= bytesFrom || strings.TrimSpace(row[wordsEnd:bytesFrom]) != "") {
			t.Errorf("row of %d columns, want words up to %d: %q", len(row), wordsEnd, row)
		}
	}
}

func TestRows(t *testing.T) {
	const head = "  0.000000     +0.0 "
	for _, tt := range []struct {
		name string
		line string
		want string // behind the times
	}{
		{"request", traced(0, '>', makePacket(smp.Read, smp.GroupImage, 0, 7, "\xa0")),
			"> " + "  7 v2     1  read image state  {}"},
		{"own group", sent(0, 64, 9, 255, "hex:a1616182f5f6"), "> 255 v2     6  write group 64 command 9  " +
			`{"a": [true, null]}`},
		{"version 1", traced(0, '>', []byte("\x00\x00\x00\x00\x00\x00\x09\x06")),
			"> " + "  9 v1     0  read os parameters  (empty)"},
		{"probe", traced(0, '>', []byte("\x04\x00\x00\x00\x00\x00\x09\x06")),
			"> " + "  9 v1     0  application probe (op 4), os parameters  (empty)"},
		{"probe without console framing", traced(0, '>', []byte("\x01\x00\x00\x00\x00\x00\x09\x06")),
			"> " + "  9 v1     0  application probe (op 1), os parameters  (empty)"},
		{"answer", traced(0, '<', []byte("\x01\x00\x00\x00\x00\x00\x09\x06")),
			"< " + "  9 v1     0  read rsp os parameters, answers nothing that was sent here  (empty)"},
		{"unknown operation", traced(0, '>', []byte("\x07\x00\x00\x00\x00\x00\x09\x06")),
			"> " + "  9 v1     0  op 7 os parameters  (empty)"},
		{"bytes up to 16 are whole", sent(0, 0, 0, 1, "hex:50"+strings.Repeat("ab", 16)),
			"> " + "  1 v2    17  write os echo  h'" + strings.Repeat("ab", 16) + "'"},
		{"longer ones are cut", sent(0, 0, 0, 1, "hex:a16164581100112233"+strings.Repeat("ab", 13)),
			"> " + "  1 v2    22  write os echo  " + `{"d": h'00112233...' (17 bytes)}`},
		{"text that looks like bytes", sent(0, 0, 0, 1, "x7h'"+strings.Repeat("a", 52)+`"`),
			"> " + `  1 v2    57  write os echo  "h'` + strings.Repeat("a", 52) + `\""`},
		{"indefinite lengths", sent(0, 0, 0, 1, "hex:bf61729f5f4101ffffff"), "> " +
			`  1 v2    10  write os echo  {_ "r": [_ (_ h'01')]}`},
		{"text with control characters", sent(0, 0, 0, 1, "hex:691b5b324a0a7fc3bc41"), "> " +
			`  1 v2    10  write os echo  "\u001b[2J\n\u007f\u00fcA"`},
		{"text that is not UTF-8", sent(0, 0, 0, 1, "hex:a1616462ff41"), "> " +
			`  1 v2     6  write os echo  {"d":"\ufffdA"}`},
		{"no CBOR", sent(0, 0, 0, 1, "hex:a1ff"), "> " +
			`  1 v2     2  write os echo  no CBOR, unexpected "break" code: h'a1ff'`},
		{"cut off CBOR", sent(0, 0, 0, 1, "hex:58ff"+strings.Repeat("00", 30)), "> " +
			"  1 v2    32  write os echo  no CBOR, unexpected EOF: h'58ff0000...' (32 bytes)"},
		{"too deep", sent(0, 0, 0, 1, strings.Repeat("\x81", 9)+"\x00"), "> " +
			"  1 v2    10  write os echo  no CBOR, exceeded max nested level 8: h'81818181818181818100'"},
		{"flags", traced(0, '>', []byte("\x0a\x80\x00\x00\x00\x00\x01\x00")),
			"> " + "  1 v2     0  write os echo, flags 0x80  (empty)"},
		{"surplus bytes", traced(0, '>', []byte("\x0a\x00\x00\x01\x00\x00\x01\x00\xa0\x01\x02")),
			"> " + "  1 v2     1  write os echo, 2 bytes too many  {}"},
		{"too short for its header", traced(0, '<', []byte("\x0a\x00\x00\x03\x00\x00\x01\x00\xa0")),
			"<       packet  header announces 3 bytes of payload, 1 follow"},
		{"unasked answer", received(0, smp.GroupOS, 0, 1, "\xa0"),
			"< " + "  1 v2     1  write rsp os echo, answers nothing that was sent here  {}"},
		{"text", `0 < text "I: Jumping to the first image slot\r\n"`,
			"<         text  I: Jumping to the first image slot"},
		{"colours", `0 < text "\x1b[1;32muart:~$ \x1b[m"`, "<         text  uart:~$"},
		{"text that is not ASCII", `0 < text "\u00fc\xff\x00\x1b[2J\u202e"`,
			`<         text  \u00fc\xff\x00\x1b[2J\u202e`},
		{"quotes and backslashes", `0 < text "\"a\\b\""`, `<         text  "a\b"`},
		{"end of a line alone", `0 > text "\n"`, `>         text  \n`},
		{"damage", `0 ! note "dropped: bad crc (1)"`, "!         link  dropped: bad crc (1)"},
		{"note with control characters", `0 ! note "\x1b]0;\a"`, `!         link  \x1b]0;\a`},
		{"no line of a trace", "\x1b hello\n", `!         link  \x1b hello`},
		{"half a packet", "0 < write-rsp v2 group 0 id 0 seq 0 len 0 0b0", "!         link  " +
			"0 < write-rsp v2 group 0 id 0 seq 0 len 0 0b0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff([]string{head + tt.want}, rowsOf(t, tt.line)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestAnswers: what is said of an answer, and of what pretends to be one.
func TestAnswers(t *testing.T) {
	probe := traced(0, '>', []byte("\x04\x00\x00\x00\x00\x00\x09\x06"))
	echo := sent(1000, smp.GroupOS, 0, 7, "\xa0")
	for _, tt := range []struct {
		name  string
		lines []string
		want  string // the words of the last row
	}{
		{"time", []string{echo, received(1031.5, 0, 0, 7, "hex:a1617260")}, `write rsp os echo, 31.5 ms  {"r": ""}`},
		{"success in version 1", []string{echo, received(1001, 0, 0, 7, "hex:a162726300")},
			`write rsp os echo, 1.0 ms  {"rc": 0}`},
		{"refusal of version 1", []string{echo, received(1001, 0, 0, 7, "hex:a162726308")},
			"write rsp os echo, 1.0 ms, " +
				`refused: the device does not have this command (rc 8 ENOTSUP)  {"rc": 8}`},
		{"refusal of a group", []string{sent(0, smp.GroupImage, 0, 7, "\xa0"),
			received(1, smp.GroupImage, 0, 7, "hex:a163657272a26567726f757001627263"+"08")},
			"write rsp image state, 1.0 ms, " +
				`refused: no slot holds an image with this hash (image 8 HASH_NOT_FOUND)  {"err": {"group": 1, "rc": 8}}`},
		{"unknown refusal", []string{sent(0, 99, 0, 7, "\xa0"),
			received(1, 99, 0, 7, "hex:a163657272a26567726f75701863627263"+"08")},
			`write rsp group 99 command 0, 1.0 ms, refused: unknown error (group 99 8)  {"err": {"group": 99, "rc": 8}}`},
		{"the device's own words", []string{echo, received(1001, 0, 0, 7, "hex:a262726301637273"+"6e621b5b")},
			`write rsp os echo, 1.0 ms, refused: unspecified failure (rc 1 EUNKNOWN)  {"rc": 1, "rsn": "\u001b["}`},
		{"answer to a probe", []string{probe, traced(5, '<', []byte("\x03\x00\x00\x05\x00\x00\x09\x06\xa1\x62rc\x08"))},
			`write rsp os parameters, 5.0 ms, an application  {"rc": 8}`},
		{"doubled", []string{echo, received(1001, 0, 0, 7, "\xa0"), received(1002, 0, 0, 7, "\xa0")},
			"write rsp os echo, a second answer, 2.0 ms  {}"},
		{"echoed request", []string{echo, traced(1001, '<', makePacket(smp.Write, smp.GroupOS, 0, 7, "\xa0"))},
			"write os echo, a request: our own, echoed?  {}"},
		{"another sequence number", []string{echo, received(1001, 0, 0, 8, "\xa0")},
			"write rsp os echo, answers nothing that was sent here  {}"},
		{"another command", []string{echo, received(1001, 0, 1, 7, "\xa0")},
			"write rsp os console echo, answers nothing that was sent here  {}"},
		{"another operation",
			[]string{echo, traced(1001, '<', makePacket(smp.ReadResponse, smp.GroupOS, 0, 7, "\xa0"))},
			"read rsp os echo, answers nothing that was sent here  {}"},
		{"another connection", []string{echo, "# smp trace\n", received(1001, 0, 0, 7, "\xa0")},
			"write rsp os echo, answers nothing that was sent here  {}"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkLast(t, tt.want, rowsOf(t, tt.lines...)) })
	}
}

// checkLast compares the words of the last entry with want, rows joined.
func checkLast(t *testing.T, want string, rows []string) {
	t.Helper()
	last := len(rows) - 1
	for strings.HasPrefix(rows[last], strings.Repeat(" ", indent)) {
		last--
	}
	got := rows[last][indent:]
	for _, row := range rows[last+1:] {
		got += " " + row[indent:]
	}
	// A row may end between the two spaces in front of the payload.
	if flat := strings.ReplaceAll(want, "  ", " "); strings.ReplaceAll(got, "  ", " ") != flat {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestTimes: times go on over connections, and each row says how long after the one above it came.
func TestTimes(t *testing.T) {
	var table table
	var text []byte
	began := time.Date(2000, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, line := range []struct {
		now  time.Duration
		line string
	}{
		{0, "# smp trace\n"},
		{0, "0.250000 ! note \"a\"\n"},
		{0, "61.500001 ! note \"b\"\n"},
		{70 * time.Second, "# smp trace\n"},
		{0, "0.000300 ! note \"c\"\n"},
		{0, "0.000100 < text \"came first\"\n"},
	} {
		text = table.add(text, line.line, began, line.now)
	}
	const want = `# smpctl trace, begun 2000-01-02T03:04:05Z. Rows: > sent, < received, = connected, ! about the link.
# Times: seconds since then, milliseconds since the row before; of answers, milliseconds since the request.
# Search for "again" and "refused". All bytes are in hex on the right, from column 161: less -S keeps them out of sight.
#  seconds       ms   seq ver  len
  0.000000     +0.0 =               connection 1
  0.250000   +250.0 !         link  a
 61.500001 +61250.0 !         link  b
 70.000000  +8500.0 =               connection 2
 70.000300     +0.3 !         link  c
 70.000100     -0.2 <         text  came first
`
	got := strings.ReplaceAll(string(text), strings.Repeat(" ", 114)+"| 63616d65206669727374", "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLongPayload: what is long takes several rows, and what is very long is cut.
func TestLongPayload(t *testing.T) {
	text := strings.Repeat("word ", 80)
	rows := rowsOf(t, sent(0, 0, 0, 1, "y\x01\x90"+text))
	if len(rows) != 5 || !strings.HasPrefix(rows[1], strings.Repeat(" ", indent)+"word") {
		t.Errorf("a text of 400 characters: %d rows:\n%s", len(rows), strings.Join(rows, "\n"))
	}
	checkLast(t, `write os echo  "`+text+`"`, rows)
	checkLast(t, `write os echo  "`+text[:399]+`..." (401 characters)`,
		rowsOf(t, sent(0, 0, 0, 1, "y\x01\x91"+text+"x")))

	rows = rowsOf(t, sent(0, 0, 0, 1, "\x99\xff\x00"+strings.Repeat("\xf6", 0xff00)))
	if last := strings.TrimSpace(rows[len(rows)-1]); len(rows) != mostRows || last != "(389681 more characters)" {
		t.Errorf("a list of 65280 entries: %d rows, the last %q", len(rows), last)
	}
}
