package transport_test

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
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
	{At: 61*time.Second + 500001*time.Microsecond, Kind: transport.Note,
		Text: "device disconnected: input/output error"},
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

func TestTraceLargestPacket(t *testing.T) {
	want := []transport.TraceEntry{{Kind: transport.ReceivedPacket, Packet: makePacket(8 + 0xffff)}}
	if got := readTrace(t, want[0].Append(nil)); !cmp.Equal(want, got) {
		t.Errorf("a packet of 65543 bytes: %d entries, want it back", len(got))
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

// FuzzTrace holds that whatever a device sends can be written and read again.
func FuzzTrace(f *testing.F) {
	f.Add([]byte(trace))
	f.Add([]byte("\u00fc\xff\u2028\U0001f600"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkTrace(t, []transport.TraceEntry{
			{At: time.Duration(len(data)) * time.Microsecond, Kind: transport.ReceivedText, Text: string(data)},
			{At: time.Hour, Kind: transport.Note, Text: string(data)},
			{Kind: transport.SentPacket, Packet: repaired(data)},
		})
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
	if diff := cmp.Diff(entries, readTrace(t, text)); diff != "" {
		t.Errorf("entries read again, -written +read:\n%s", diff)
	}
}

var traceLine = regexp.MustCompile(
	`^(\d+)\.(\d{6}) (?:([<>]) (\S+) v(\d) group (\d+) id (\d+) seq (\d+) len (\d+) ([0-9a-f]+)|([<>!] \w+) (".*"))$`)

// readTrace reads a trace. The words of a packet must agree with its bytes.
func readTrace(t *testing.T, text []byte) []transport.TraceEntry {
	t.Helper()
	var entries []transport.TraceEntry
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no line of a trace: %.200q", line)
		}
		var e transport.TraceEntry
		e.At = time.Duration(number(m[1]))*time.Second + time.Duration(number(m[2]))*time.Microsecond
		e.Kind = map[string]transport.TraceKind{
			">": transport.SentPacket, "<": transport.ReceivedPacket,
			"> text": transport.SentText, "< text": transport.ReceivedText, "! note": transport.Note,
		}[m[3]+m[11]]
		if m[3] == "" {
			var err error
			if e.Text, err = strconv.Unquote(m[12]); err != nil {
				t.Fatalf("text %.200s: %v", m[12], err)
			}
		} else {
			e.Packet = mustHex(m[10])
			ops := []string{"read", "read-rsp", "write", "write-rsp", "op4", "op5", "op6", "op7"}
			h := e.Packet
			got := []int{slices.Index(ops, m[4]), number(m[5]) - 1, number(m[6]), number(m[7]), number(m[8]),
				number(m[9])}
			want := []int{int(h[0] & 7), int(h[0] >> 3 & 3), int(h[4])<<8 | int(h[5]), int(h[7]), int(h[6]),
				int(h[2])<<8 | int(h[3])}
			if !slices.Equal(got, want) {
				t.Fatalf("op, version, group, id, sequence, length: words say %v, packet says %v", got, want)
			}
		}
		entries = append(entries, e)
	}
	return entries
}

func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	return n
}
