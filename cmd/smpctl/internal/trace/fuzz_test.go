package trace

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// FuzzRows: whatever is sent, received or said by a device becomes rows that do no harm and hold every byte.
func FuzzRows(f *testing.F) {
	f.Add([]byte("\x0a\x00\x00\x09\x00\x00\x42\x00\xa1add\x65hello"))
	f.Add(append([]byte("\x0a\x00\x01\x42\x00\x01\x42\x01"), piece(300, 300)...))
	f.Add([]byte("\x0b\x00\x00\x06\x00\x01\x02\x06\xbfbrc\x08\xff"))
	f.Add([]byte("\x0b\x00\x00\x04\x00\x01\x02\x06\x9f\x5f\x41\x1b"))
	f.Add([]byte("\x1b[0m\xff\u202e\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		packet := append(make([]byte, 0, len(data)+smp.HeaderLen), data...)
		packet = append(packet, make([]byte, max(0, smp.HeaderLen-len(packet)))...)
		quoted := strconv.QuoteToASCII(string(data))
		answer := append([]byte{packet[0] | 1}, packet[1:]...)
		var table table
		var rows []byte
		want := [][]byte{packet, packet, answer, answer, data}
		for i, line := range []string{"# smp trace\n", traced(0, '>', packet), traced(1, '>', packet),
			traced(2, '<', answer), traced(3, '<', answer), "0.004 < text " + quoted + "\n",
			"0.005 ! note " + quoted + "\n"} {
			rows = table.add(rows, line, time.Time{}, time.Duration(i))
		}
		checkRows(t, string(rows))
		if len(data) == 0 {
			want = want[:4]
		}
		if got := bytesIn(t, string(rows)); fmt.Sprintf("%x", got) != fmt.Sprintf("%x", want) {
			t.Errorf("bytes of the rows: %x, want %x:\n%s", got, want, rows)
		}
	})
}

// FuzzLine: no line, whoever wrote it, does harm.
func FuzzLine(f *testing.F) {
	f.Add("0.000412 > write v2 group 0 id 0 seq 66 len 9 0a00000900004200a161646568656c6c6f\n")
	f.Add("-1 < text \"\\x1b\"\n")
	f.Add("1e300 ! note \"a\n\"")
	f.Fuzz(func(t *testing.T, line string) {
		var table table
		rows := table.add(nil, line, time.Time{}, 0)
		if i := bytes.IndexFunc(rows, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }); i >= 0 {
			t.Errorf("%q becomes %q", line, rows)
		}
	})
}

// bytesIn reads the bytes of packets and texts from rows: what stands in hex from column 163.
func bytesIn(t *testing.T, rows string) (found [][]byte) {
	t.Helper()
	for row := range strings.Lines(rows) {
		if strings.HasPrefix(row, "#") || len(row) <= bytesFrom {
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(row[bytesFrom+2:]))
		if err != nil || row[bytesFrom:bytesFrom+2] != "| " {
			t.Errorf("%v: %q", err, row)
		}
		found = append(found, b)
	}
	return found
}
