package ihex_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image/internal/ihex"
)

// FuzzFlatten holds that what was read can be written and read again. Each text
// is tried twice, as it is and with right checksums, or hardly any would get past
// them.
func FuzzFlatten(f *testing.F) {
	names, err := filepath.Glob("../../../testdata/image/images/*.hex")
	if err != nil || len(names) == 0 {
		f.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(record(2, 0, 0x10, 0) + record(0, 4, 1, 2) + record(4, 0, 0, 2) + record(0, 0, 3) + hexEnd))
	f.Add(toHex([]byte("some data"), 0xfffe, 4))
	f.Fuzz(func(t *testing.T, text []byte) {
		checkHexRoundTrip(t, text)
		checkHexRoundTrip(t, rightChecksums(text))
	})
}

func checkHexRoundTrip(t *testing.T, text []byte) {
	t.Helper()
	data, start, err := ihex.Flatten(text)
	if err != nil {
		return
	}
	if len(data) == 0 || len(data) > 64<<20 {
		t.Fatalf("%d bytes from a text of %d", len(data), len(text))
	}
	if len(data) > 1<<20 { // writing it as text would only slow the fuzzer down
		return
	}
	again, at, err := ihex.Flatten(toHex(data, start, 255))
	if err != nil || at != start || !bytes.Equal(again, data) {
		t.Errorf("written and read again: %d bytes at %#x, %v, want %d at %#x", len(again), at, err, len(data), start)
	}
}

// rightChecksums gives every line that is a whole number of hexadecimal bytes
// the length and checksum that it should have.
func rightChecksums(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		rec, err := hex.DecodeString(strings.Trim(string(line), ": \t\r\n"))
		if err != nil || len(rec) < 5 || len(rec) > 255+5 {
			out = append(out, line...)
			continue
		}
		address := uint16(rec[1])<<8 | uint16(rec[2])
		out = append(out, record(rec[3], address, rec[4:len(rec)-1]...)...)
	}
	return out
}
