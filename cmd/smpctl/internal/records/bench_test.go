package records

import (
	"io"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// BenchmarkRecords goes over the records of 10,000 boards.
func BenchmarkRecords(b *testing.B) {
	dir := b.TempDir()
	makeLarge(b, dir, 10_000)
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if v, err := journal.Verify(dir, journal.VerifyOptions{}); err != nil || !v.Whole() {
				b.Fatal(v.Findings, err)
			}
		}
	})
	each := func(b *testing.B, do func(journal.Turn) error) {
		for t, err := range journal.History(dir) {
			if err == nil {
				err = do(t)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			l := recordList{}
			each(b, func(t journal.Turn) error {
				l.Records = append(l.Records, newListed(t))
				return nil
			})
			_ = l.Text(io.Discard)
		}
	})
	b.Run("csv", func(b *testing.B) {
		for b.Loop() {
			c := newCSV(io.Discard)
			each(b, c.add)
		}
	})
	b.Run("report", func(b *testing.B) {
		for b.Loop() {
			f := newFigures()
			each(b, f.add)
			if err := writePage(io.Discard, newPage(f, "", time.UTC)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
