package bench

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: benchResult{}, Commands: "bench",
			Keys: "port smp_version runs buf_size? buf_count? packet_limit_bytes baud? no_echo? " +
				"round_trip_seconds? measurements[].request measurements[].packet_bytes measurements[].lines " +
				"measurements[].in_flight measurements[].sent measurements[].lost " +
				"measurements[].round_trip_seconds? measurements[].bytes_per_second measurements[].wire_share? " +
				"limit reason lines_pass? upload?.packet_bytes upload?.chunk_bytes upload?.in_flight " +
				"upload?.bytes_per_second upload?.wire_share? advice[].option advice[].value advice[].text " +
				"advice[].bytes_per_second advice[].factor seconds"},
	})
}
