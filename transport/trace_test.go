package transport_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

const trace = `# smp trace: seconds, > sent or < received, what the header says, packet in hex
0.000000 > write v2 group 0 id 0 seq 66 len 9 0a00000900004200a161646568656c6c6f
0.031870 < write-rsp v2 group 0 id 0 seq 66 len 10 0b00000a00004200bf61726568656c6c6fff
0.020000 < text "[00:00:01.000] \x1b[0m<inf> smp: \"hello\"\r\n"
0.040000 > text "\n"
4294967295.999999 < read-rsp v1 group 1 id 6 seq 2 len 6 0100000600010206bf62726308ff
61.500001 ! note "device disconnected: input/output error"
`

var traceEntries = []transport.TraceEntry{
	{At: 0, Kind: transport.SentPacket, Packet: mustHex("0a00000900004200a161646568656c6c6f")},
	{At: 31870 * time.Microsecond, Kind: transport.ReceivedPacket, Packet: hello},
	{At: 20 * time.Millisecond, Kind: transport.ReceivedText, Text: "[00:00:01.000] \x1b[0m<inf> smp: \"hello\"\r\n"},
	{At: 40 * time.Millisecond, Kind: transport.SentText, Text: "\n"},
	{At: 4294967295*time.Second + 999999*time.Microsecond, Kind: transport.ReceivedPacket, Packet: refusal},
	{At: 61*time.Second + 500001*time.Microsecond, Kind: transport.Note, Text: "device disconnected: input/output error"},
}

func TestReadTrace(t *testing.T) {
	got, err := transport.ReadTrace(strings.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(traceEntries, got); diff != "" {
		t.Errorf("ReadTrace, -want +got:\n%s", diff)
	}
}

func TestTraceEntryAppend(t *testing.T) {
	_, want, _ := strings.Cut(trace, "\n")
	var got []byte
	for _, e := range traceEntries {
		got = e.Append(got)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Append, -want +got:\n%s", diff)
	}
}

func TestReadTraceLenient(t *testing.T) {
	want := []transport.TraceEntry{
		{At: time.Second, Kind: transport.Note, Text: "a"},
		{At: 2 * time.Second, Kind: transport.ReceivedPacket, Packet: refusal},
	}
	for _, text := range []string{
		"1.000000 ! note \"a\"\n2.000000 < read-rsp v1 group 1 id 6 seq 2 len 6 0100000600010206bf62726308ff",
		"1.000000 ! note \"a\"\r\n2.000000 < read-rsp v1 group 1 id 6 seq 2 len 6 0100000600010206bf62726308ff\r\n",
		"\n# a comment\n   # another\n\t1.000000   ! note \"a\"\n\n  2.000000  <   read-rsp  v1 group 1 id 6 seq 2 len 6   0100000600010206BF62726308FF  \n\n",
	} {
		got, err := transport.ReadTrace(strings.NewReader(text))
		if err != nil {
			t.Errorf("ReadTrace(%q): %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ReadTrace(%q), -want +got:\n%s", text, diff)
		}
	}
}

func TestReadTraceWrong(t *testing.T) {
	const words = "read-rsp v1 group 1 id 6 seq 2 len 6"
	tests := []struct{ name, line, want string }{
		{"one word", "hello", `trace line 3: time "hello": not seconds with six decimals`},
		{"no decimals", "1 ! note \"a\"", `trace line 3: time "1": not seconds with six decimals`},
		{"five decimals", "1.00000 ! note \"a\"", `trace line 3: time "1.00000": not seconds with six decimals`},
		{"negative", "-1.000000 ! note \"a\"", `trace line 3: time "-1.000000": not seconds with six decimals`},
		{"sign in the decimals", "1.+00000 ! note \"a\"", `trace line 3: time "1.+00000": not seconds with six decimals`},
		{"too late", "4294967296.000000 ! note \"a\"", `trace line 3: time "4294967296.000000": not seconds with six decimals`},
		{"long time", strings.Repeat("7", 100) + " ! note \"a\"", `trace line 3: time "77777777777777777777": not seconds with six decimals`},
		{"only time", "1.000000", `trace line 3: neither packet, text nor note: " "`},
		{"no direction", "1.000000 note \"a\"", `trace line 3: neither packet, text nor note: "note \"a\""`},
		{"packet as note", "1.000000 ! read", `trace line 3: neither packet, text nor note: "! read"`},
		{"text without quotes", "1.000000 < text hello", `trace line 3: text is not in double quotes`},
		{"text in single quotes", "1.000000 < text 'h'", `trace line 3: text is not in double quotes`},
		{"text in back quotes", "1.000000 < text `h`", `trace line 3: text is not in double quotes`},
		{"text without end", `1.000000 < text "hello`, `trace line 3: text is not quoted as in Go`},
		{"words behind the text", `1.000000 < text "a" b`, `trace line 3: text is not quoted as in Go`},
		{"unknown escape", `1.000000 < text "\q"`, `trace line 3: text is not quoted as in Go`},
		{"no packet", "1.000000 <", `trace line 3: packet without bytes`},
		{"no hex", "1.000000 < " + words, `trace line 3: packet: encoding/hex: odd length hex string`},
		{"odd hex", "1.000000 < " + words + " 0100000600010206b", `trace line 3: packet: encoding/hex: odd length hex string`},
		{"half a header", "1.000000 < " + words + " 01000006000102", `trace line 3: packet of 7 bytes, its header alone takes 8`},
		{"other sequence", "1.000000 < read-rsp v1 group 1 id 6 seq 3 len 6 0100000600010206bf62726308ff",
			`trace line 3: words say "read-rsp v1 group 1 id 6 seq 3 len 6", packet says "read-rsp v1 group 1 id 6 seq 2 len 6"`},
		{"word too many", "1.000000 < " + words + " x 0100000600010206bf62726308ff",
			`trace line 3: words say "` + words + ` x", packet says "` + words + `"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := transport.ReadTrace(strings.NewReader("# title\n1.000000 ! note \"before\"\n" + test.line + "\n"))
			if err == nil || err.Error() != test.want {
				t.Errorf("ReadTrace(%q): %v, want %s", test.line, err, test.want)
			}
			if got != nil {
				t.Errorf("ReadTrace(%q) = %+v beside the error, want nothing", test.line, got)
			}
		})
	}
}

func TestReadTraceEndlessLine(t *testing.T) {
	text := "# title\n" + strings.Repeat("x", 2<<20)
	_, err := transport.ReadTrace(strings.NewReader(text))
	if want := "trace line 2: bufio.Scanner: token too long"; err == nil || err.Error() != want {
		t.Errorf("ReadTrace of a line of 2 MiB: %v, want %s", err, want)
	}
}

func TestTraceLargestPacket(t *testing.T) {
	want := []transport.TraceEntry{{Kind: transport.ReceivedPacket, Packet: makePacket(8 + 0xffff)}}
	got, err := transport.ReadTrace(bytes.NewReader(want[0].Append(nil)))
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("ReadTrace of a packet of 65543 bytes: %d entries, %v, want it back", len(got), err)
	}
}

func TestTraceEntryWithoutHeader(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Append of a packet of 7 bytes does not panic")
		}
	}()
	transport.TraceEntry{Kind: transport.SentPacket, Packet: make([]byte, 7)}.Append(nil)
}

func FuzzReadTrace(f *testing.F) {
	f.Add([]byte(trace))
	for line := range strings.Lines(trace) {
		f.Add([]byte(line))
	}
	f.Add([]byte("1.000000 < text \"\\u00fc\\xff\\u2028\\U0001f600\""))
	f.Add([]byte("0.000000 > op7 v4 group 65535 id 255 seq 255 len 65535 ffffffffffffffff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 100_000 {
			return // escaped it would be over the limit of a line
		}
		// Whatever a device sends can be written and read again.
		written := []transport.TraceEntry{
			{At: time.Duration(len(data)) * time.Microsecond, Kind: transport.ReceivedText, Text: string(data)},
			{At: time.Hour, Kind: transport.Note, Text: string(data)},
			{Kind: transport.SentPacket, Packet: repaired(data)},
		}
		checkTrace(t, written)

		entries, err := transport.ReadTrace(bytes.NewReader(data))
		if err == nil {
			checkTrace(t, entries)
		}
	})
}

// checkTrace writes entries, one a line and printable, and reads them again.
func checkTrace(t *testing.T, entries []transport.TraceEntry) {
	t.Helper()
	var text []byte
	for _, e := range entries {
		text = e.Append(text)
	}
	if i := bytes.IndexFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }); i >= 0 {
		t.Errorf("trace has the byte %#x at %d, want printable ASCII:\n%q", text[i], i, text)
	}
	if n := bytes.Count(text, []byte("\n")); n != len(entries) {
		t.Errorf("%d entries are %d lines:\n%s", len(entries), n, text)
	}
	got, err := transport.ReadTrace(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("ReadTrace of what Append wrote: %v\n%s", err, text)
	}
	if diff := cmp.Diff(entries, got); diff != "" {
		t.Errorf("entries read again, -written +read:\n%s", diff)
	}
}
