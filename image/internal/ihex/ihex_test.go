package ihex_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image/internal/ihex"
)

// record writes one Intel HEX line.
func record(kind byte, address uint16, data ...byte) string {
	rec := append([]byte{byte(len(data)), byte(address >> 8), byte(address), kind}, data...)
	var sum byte
	for _, v := range rec {
		sum -= v
	}
	return fmt.Sprintf(":%X%02X\n", rec, sum)
}

// toHex writes data as Intel HEX, the other way than Flatten reads it.
func toHex(data []byte, start uint32, perLine int) []byte {
	var b strings.Builder
	upper := -1
	for len(data) > 0 {
		if hi := int(start >> 16); hi != upper {
			upper = hi
			b.WriteString(record(4, 0, byte(hi>>8), byte(hi)))
		}
		n := min(perLine, len(data), 1<<16-int(start&0xffff))
		b.WriteString(record(0, uint16(start), data[:n]...))
		data = data[n:]
		start += uint32(n)
	}
	b.WriteString(record(1, 0))
	return []byte(b.String())
}

const hexEnd = ":00000001FF\n"

func TestFlatten(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		data  string
		start uint32
	}{
		{"one record", record(0, 0x10, 1, 2) + hexEnd, "\x01\x02", 0x10},
		{"known line", ":0B0010006164647265737320676170A7\n" + hexEnd, "address gap", 0x10},
		{"no newline at the end", record(0, 0, 1) + strings.TrimSpace(hexEnd), "\x01", 0},
		{"CR LF, blank lines, blanks", strings.ReplaceAll(record(0, 0, 1)+"\n"+hexEnd, "\n", " \t\r\n") + "\r\n\n",
			"\x01", 0},
		{"lower case", strings.ToLower(record(0, 0xabcd, 0xef)) + hexEnd, "\xef", 0xabcd},
		{"gap", record(0, 0, 1) + record(0, 3, 2) + hexEnd, "\x01\xff\xff\x02", 0},
		{"backwards", record(0, 3, 2) + record(0, 1, 1) + hexEnd, "\x01\xff\x02", 1},
		{"linear base", record(4, 0, 0x08, 0x01) + record(0, 2, 7) + hexEnd, "\x07", 0x08010002},
		{"segment base", record(2, 0, 0x10, 0x00) + record(0, 2, 7) + hexEnd, "\x07", 0x10002},
		{"segment base back to linear", record(2, 0, 0x10, 0x00) + record(4, 0, 0, 1) + record(0, 0, 7) + hexEnd,
			"\x07", 0x10000},
		{"across a 64 KiB border", record(4, 0, 0, 1) + record(0, 0xffff, 1, 2) + hexEnd, "\x01\x02", 0x1ffff},
		{"start addresses", record(3, 0, 0, 0, 0, 0) + record(5, 0, 8, 0, 1, 0) + record(0, 0, 1) + hexEnd, "\x01", 0},
		{"empty data record", record(0, 9) + record(0, 0, 1) + hexEnd, "\x01", 0},
		{"longest record", record(0, 0, make([]byte, 255)...) + hexEnd, strings.Repeat("\x00", 255), 0},
		{"last address", record(4, 0, 0xff, 0xff) + record(0, 0xffff, 5) + hexEnd, "\x05", 0xffffffff},
	}
	for _, tt := range tests {
		data, start, err := ihex.Flatten([]byte(tt.text))
		if err != nil || string(data) != tt.data || start != tt.start {
			t.Errorf("%s: Flatten = %q, %#x, %v, want %q, %#x", tt.name, data, start, err, tt.data, tt.start)
		}
	}
}

func TestFlattenRefuses(t *testing.T) {
	one := record(0, 0, 1)
	tests := []struct {
		name string
		text string
		want string // in the error text
	}{
		{"nothing", "", "no end record"},
		{"no end record", one, "no end record after 1 lines"},
		{"cut short inside a record", one + one[:9], "line 2"},
		{"end record only", hexEnd, "no data"},
		{"text behind the end", one + hexEnd + "x", "line 3: text behind"},
		{"second end record", one + hexEnd + hexEnd, "line 3: text behind"},
		{"wrong checksum", one + ":0100010001FE\n" + hexEnd, "line 2: checksum fe, should be fd"},
		{"no colon", "\x1b[2J\n" + hexEnd, "line 1: does not begin with a colon"},
		{"odd number of digits", ":000000\n:0\n", "line 1"},
		{"not hexadecimal", ":0g00000000\n", "line 1: not a whole number"},
		{"only a colon", ":\n" + hexEnd, "line 1: the record's length"},
		{"data missing", ":02000000FE\n" + hexEnd, "line 1: the record's length"},
		{"data left over", ":00000000010203\n" + hexEnd, "line 1: the record's length"},
		{"line without end", ":" + strings.Repeat("00", 1<<16), "line 1: longer than any record"},
		{"unknown type", record(6, 0) + hexEnd, "line 1: unknown record type 06"},
		{"linear base of one byte", record(4, 0, 1) + hexEnd, "line 1: a record of type 04 with 1 bytes instead of 2"},
		{"end record with data", one + record(1, 0, 1), "line 2: a record of type 01"},
		{"start address of two bytes", record(5, 0, 1, 2) + hexEnd, "line 1: a record of type 05"},
		{"same data twice", one + one + hexEnd, "line 2: data for 0x0"},
		{"overlap", record(0, 0, 1, 2, 3) + record(0, 2, 3) + hexEnd, "line 2: data for 0x2"},
		{"overlap, earlier address later", record(0, 2, 1) + record(0, 1, 1, 2) + hexEnd, "line 1: data for 0x2"},
		{"beyond 64 KiB without base", record(0, 0xffff, 1, 2) + hexEnd, "line 1: data beyond"},
		{"beyond 64 KiB in a segment", record(2, 0, 0x10, 0) + record(0, 0xffff, 1, 2) + hexEnd, "line 2: data beyond"},
		{"beyond 4 GiB", record(4, 0, 0xff, 0xff) + record(0, 0xffff, 1, 2) + hexEnd, "line 2: data beyond"},
		{"far apart", one + record(4, 0, 0x10, 0) + record(0, 0x1000, 1) + hexEnd, "more than 64 MiB"},
	}
	for _, tt := range tests {
		data, _, err := ihex.Flatten([]byte(tt.text))
		if err == nil || data != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Flatten = %q, %v, want a text with %q", tt.name, data, err, tt.want)
		}
	}
}

func TestFlattenRoundTrip(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, seed))
	for i := range 50 {
		want := make([]byte, 1+r.IntN(200_000))
		for j := range want {
			want[j] = byte(r.Uint32())
		}
		start := r.Uint32N(1<<32 - 1<<20)
		perLine := 1 + r.IntN(255)
		data, at, err := ihex.Flatten(toHex(want, start, perLine))
		if err != nil || at != start || !bytes.Equal(data, want) {
			t.Fatalf("seed %d, round %d: %d bytes at %#x, %d per line: got %d bytes at %#x, %v",
				seed, i, len(want), start, perLine, len(data), at, err)
		}
	}
}

func TestWrite(t *testing.T) {
	tests := []struct {
		name  string
		start uint32
		size  int
		want  string // the addresses of the lines, "+" for one that sets the upper half
	}{
		{"below 64 KiB", 0xffe0, 32, "ffe0 fff0"},
		{"to the last byte", 0xffffffef, 17, "+ffff ffef ffff"},
		{"across 64 KiB", 0xfff8, 32, "+0000 fff8 +0001 0000 0010"},
		{"nothing", 0, 0, ""},
	}
	for _, tt := range tests {
		data := bytes.Repeat([]byte{0xa5}, tt.size)
		text, err := ihex.Write(tt.start, ihex.Part{Data: data})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, line := range strings.Fields(string(text)) {
			switch line[7:9] {
			case "00":
				got = append(got, strings.ToLower(line[3:7]))
			case "04":
				got = append(got, "+"+strings.ToLower(line[9:13]))
			}
		}
		if strings.Join(got, " ") != tt.want || !bytes.HasSuffix(text, []byte(":00000001FF\n")) {
			t.Errorf("%s: lines for %v, want %s", tt.name, got, tt.want)
		}
		if tt.size == 0 {
			continue
		}
		if again, start, err := ihex.Flatten(text); err != nil || start != tt.start || !slices.Equal(again, data) {
			t.Errorf("%s: read again: %d bytes at %#x, %v", tt.name, len(again), start, err)
		}
	}
	if _, err := ihex.Write(0xffffffef, ihex.Part{Data: make([]byte, 18)}); err == nil {
		t.Errorf("one byte too many: %v, want an error", err)
	}
}

func BenchmarkFlatten(b *testing.B) {
	text := toHex(make([]byte, 1<<20), 0x0800_0000, 16)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ihex.Flatten(text); err != nil {
			b.Fatal(err)
		}
	}
}
