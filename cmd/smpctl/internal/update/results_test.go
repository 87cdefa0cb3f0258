package update

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	const imageChanges = "images[]?.image images[]?.from.version images[]?.from.hash images[]?.to.version " +
		"images[]?.to.hash"
	clitest.CheckResults(t, []clitest.Document{
		{Document: uploadResult{},
			Keys: "image bytes seconds bytes_per_second file_sha256 hash already_present resumed_from resent " +
				"link?.in_flight link?.packet_limit link?.line_gap link?.round_trip link?.lost"},
		{Document: upgradeResult{}, Keys: "result from.version from.hash to.version to.hash " + imageChanges +
			" device.port device.serial steps[].step steps[].seconds seconds " +
			"link?.in_flight link?.packet_limit link?.line_gap link?.round_trip link?.lost reason? console[]?"},
		{Document: recoverResult{}, Keys: "result from.version from.hash to.version to.hash " + imageChanges +
			" device.port device.serial steps[].step steps[].seconds seconds " +
			"link?.in_flight link?.packet_limit link?.line_gap link?.round_trip link?.lost reason? console[]?"},
		{Document: dryRunResult{}, Keys: "from.version from.hash to.version to.hash " + imageChanges + " steps[]"},
		{Document: resetResult{}, Keys: "reset back runs? seconds reason? console[]?"},
		{Document: stepEvent{}, Keys: "event step phase seconds text? image?"},
	})
}
