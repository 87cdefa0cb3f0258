package update

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	const (
		tuning  = "link?.in_flight link?.packet_limit_bytes link?.line_gap_seconds link?.round_trip_seconds link?.lost"
		board   = "device?.port? device?.serial?"
		ending  = "warnings[] started smpctl error?"
		record  = "file? file_sha256? image? bytes? " + ending
		changes = "from?.version from?.hash? to?.version to?.hash? images[]?.image images[]?.file? images[]?.bytes? " +
			"images[]?.from?.version images[]?.from?.hash? images[]?.to?.version images[]?.to?.hash? " +
			board + " steps[].step steps[].image? steps[].seconds?"
		update = "result? " + changes + " seconds " + tuning + " reason? console[]? " + record
	)
	clitest.CheckResults(t, []clitest.Document{
		{Document: uploadResult{}, Commands: "image upload",
			Keys: "image bytes seconds bytes_per_second file_sha256 hash already_present resumed_from resent " +
				tuning + " " + board + " file " + ending},
		{Document: upgradeResult{}, Commands: "upgrade", Keys: update},
		{Document: recoverResult{}, Commands: "recover", Keys: update},
		{Document: dryRunResult{}, Commands: "upgrade", Keys: "dry_run " + changes + " " + record},
		{Document: failedUpload{}, Commands: "image upload", Keys: "hash? " + board + " seconds " + record},
		{Document: resetResult{}, Commands: "reset", Keys: "reset back runs? seconds? reason? console[]?"},
	})
}
