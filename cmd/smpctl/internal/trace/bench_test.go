package trace

import (
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// BenchmarkChunk is what a trace costs for each chunk of an upload and its answer. A wire of 1 Mbit/s takes 25 ms.
func BenchmarkChunk(b *testing.B) {
	lines := []string{sent(0, smp.GroupImage, 1, 7, piece(300, 2400)), received(1, smp.GroupImage, 1, 7, wants(2700))}
	var t table
	var rows []byte
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			rows = t.add(rows[:0], line, time.Time{}, 0)
		}
	}
}
