package records

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// makeLarge makes a journal of so many boards without a sync for each: two lines a board, 2,000 boards a day.
func makeLarge(b testing.TB, dir string, boards int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 8, 3, 4, 0, 0, 0, time.UTC)
	prev, seq := strings.Repeat("0", 64), int64(0)
	var text strings.Builder
	month := ""
	add := func(rec journal.Record, at time.Time) {
		seq++
		rec.V, rec.Seq, rec.Prev = journal.Version, seq, prev
		line, err := json.Marshal(rec)
		if err != nil {
			b.Fatal(err)
		}
		prev = files.SHA256(line)
		if name := at.Format("2006-01") + ".jsonl"; name != month {
			flush(b, dir, month, &text)
			month = name
		}
		text.Write(append(line, '\n'))
	}
	for n := range boards {
		at := start.Add(time.Duration(n/2000)*24*time.Hour + time.Duration(n%2000)*25*time.Second)
		begin, end := largeTurn(r, n, at)
		add(begin, at)
		add(end, at)
	}
	flush(b, dir, month, &text)
}

func flush(b testing.TB, dir, name string, text *strings.Builder) {
	b.Helper()
	if name == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	text.Reset()
}

// largeTurn is a turn as a station writes it.
func largeTurn(r *rand.Rand, n int, at time.Time) (begin, end journal.Record) {
	hash := func() string {
		return fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	}
	serial := fmt.Sprintf("E66C%012X", r.Uint64()>>16)
	slot := r.IntN(8)
	begin = journal.Record{ID: fmt.Sprintf("%08x-%04x-7%03x-8000-%012x", n>>16, n&0xffff, slot, n), Event: journal.Begin,
		Began:   at,
		Station: journal.Station{Name: "line2-a", Smpctl: "1.3.0", Config: "sha256:" + hash()}, Operator: "anna",
		Fields: map[string]string{"order": "4711", "label": fmt.Sprintf("SN%07d", n)},
		Board: journal.Board{ID: serial, Source: "usb", Port: fmt.Sprint("/dev/ttyACM", slot), VID: "2fe3", PID: "0004",
			Serial: serial, Location: fmt.Sprintf("1-1.%d", slot+1), Slot: fmt.Sprintf("A%d", slot+1)},
		Image: &journal.Image{File: "app-2.0.0.signed.bin", FileSHA256: hash(), Hash: hash(), Version: "2.0.0+0",
			Signature: "verified", KeyHash: hash()}, Attempt: 1}
	end = begin
	end.Event, end.Result, end.Seconds = journal.End, journal.Pass, 12+r.NormFloat64()
	end.Before = []journal.Slot{{Version: "1.0.0+0", Hash: hash(), Bootable: true, Confirmed: true, Active: true}}
	end.After = []journal.Slot{{Version: "2.0.0+0", Hash: hash(), Bootable: true, Confirmed: true, Active: true}}
	end.Steps = []journal.Step{{Step: "upload", Seconds: 7.5 + r.Float64()}, {Step: "reset", Seconds: 2 + r.Float64()},
		{Step: "confirm", Seconds: 0.1 + r.Float64()/10}}
	end.BytesPerSecond = 7000 + r.IntN(1000)
	least, most := 3.2, 3.4
	end.Hooks = []journal.Hook{{Name: "check", Seconds: 3, Measures: []journal.Measure{{Name: "vbat", Value: 3.3,
		Min: &least, Max: &most, Unit: "V"}}}}
	if r.IntN(20) == 0 {
		end.Result, end.Kind = journal.Fail, []string{"no-reply", "no-reply", "refused", "not-running", "port"}[r.IntN(5)]
		end.Message = "image upload at 4096: no reply within 3 s (3 tries)"
	}
	return begin, end
}
