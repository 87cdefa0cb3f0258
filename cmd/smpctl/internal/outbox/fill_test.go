package outbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// fill makes the journal of a station with so many lines, a begin and an end for each board, without putting each on
// the disk: [journal.Verify] holds it for one.
func fill(t *testing.T, dir, station string, lines int) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "2026-11.jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	prev := strings.Repeat("0", 64)
	for seq := range lines {
		line := recordLine(t, station, int64(seq+1), prev)
		w.Write(line)
		w.WriteByte('\n')
		prev = sum(line)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	verdict, err := journal.Verify(dir, journal.VerifyOptions{})
	if err != nil || !verdict.Whole() || verdict.Lines != lines {
		t.Fatalf("Verify = %+v, %v, want %d lines", verdict, err, lines)
	}
}

// recordLine is a line such as stations write.
func recordLine(t testing.TB, station string, seq int64, prev string) []byte {
	t.Helper()
	turn := (seq - 1) / 2
	r := journal.Record{
		V: 1, Seq: seq, Prev: prev, ID: turnID(station, turn), Event: journal.Begin,
		Began:   time.Date(2026, 11, 2, 6, 0, 0, 0, time.UTC).Add(time.Duration(turn) * 10 * time.Second),
		Station: journal.Station{Name: station, Smpctl: "1.3.0"}, Operator: "anna",
		Fields: map[string]string{"order": "4711", "label": fmt.Sprintf("SN%07d", turn)},
		Board: journal.Board{ID: fmt.Sprintf("E66C%08X", turn), Source: "usb", VID: "2fe3", PID: "0004",
			Serial: fmt.Sprintf("E66C%08X", turn), Location: "1-1.3", Slot: "A2"},
		Image: &journal.Image{File: "app-2.0.0.signed.bin", Hash: strings.Repeat("ab", 32), Version: "2.0.0",
			Signature: "verified"},
		Attempt: 1,
	}
	if seq%2 == 0 {
		r.Event, r.Seconds, r.Result, r.BytesPerSecond = journal.End, 12.4, journal.Pass, 7600
		r.Steps = []journal.Step{{Step: "upload", Seconds: 7.5}, {Step: "reset", Seconds: 2.1}}
		r.Message = `quote " backslash \ newline` + "\n" + `comma, {brace} NULL ü`
		if turn%25 == 7 {
			r.Result, r.Kind, r.Message = journal.Fail, "no-reply", "upload: no reply\x00"
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// turnID is a UUID that no other turn of any station has.
func turnID(station string, turn int64) string {
	return fmt.Sprintf("01934c00-%s-7000-8000-%012x", sum([]byte(station))[:4], turn)
}
