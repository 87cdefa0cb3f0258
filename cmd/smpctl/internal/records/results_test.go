package records

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: recordList{}, Commands: "records list", Keys: "" +
			"records[].id records[].began records[].seconds? records[].board? records[].label? " +
			"records[].station? records[].place? records[].version? records[].result records[].resolved? " +
			"records[].kind? records[].message? total"},
		{Document: shown{}, Commands: "records show", Keys: "" +
			"records[].v records[].seq records[].prev records[].id records[].event records[].began " +
			"records[].seconds? records[].station.name? records[].station.smpctl? records[].station.config? " +
			"records[].operator? records[].fields? records[].board?.id? records[].board?.source? " +
			"records[].board?.port? records[].board?.vid? records[].board?.pid? records[].board?.serial? " +
			"records[].board?.location? records[].board?.slot? records[].image?.file? " +
			"records[].image?.file_sha256? records[].image?.hash? records[].image?.version? " +
			"records[].image?.signature? records[].image?.key_hash? records[].before[]?.image " +
			"records[].before[]?.slot records[].before[]?.version? records[].before[]?.hash? " +
			"records[].before[]?.bootable? records[].before[]?.pending? records[].before[]?.confirmed? " +
			"records[].before[]?.active? records[].before[]?.permanent? records[].after[]?.image " +
			"records[].after[]?.slot records[].after[]?.version? records[].after[]?.hash? " +
			"records[].after[]?.bootable? records[].after[]?.pending? records[].after[]?.confirmed? " +
			"records[].after[]?.active? records[].after[]?.permanent? records[].steps[]?.step " +
			"records[].steps[]?.seconds records[].bytes_per_second? records[].hooks[]?.name " +
			"records[].hooks[]?.exit records[].hooks[]?.seconds records[].hooks[]?.measures[]?.name " +
			"records[].hooks[]?.measures[]?.value records[].hooks[]?.measures[]?.min? " +
			"records[].hooks[]?.measures[]?.max? records[].hooks[]?.measures[]?.unit? records[].attempt? " +
			"records[].result? records[].kind? records[].message? records[].console_sha256? records[].key? " +
			"records[].signature? records[].resolved?.result records[].resolved?.message? " +
			"records[].resolved?.operator? records[].resolved?.written"},
		{Document: sendResult{}, Commands: "records send", Keys: "target sent unsent"},
		{Document: schemaResult{}, Commands: "records schema", Keys: "sql"},
		{Document: resolution{}, Commands: "records resolve", Keys: "id result"},
		{Document: verification{}, Commands: "records verify", Keys: "" +
			"folder verified files lines boards first? last? head? signed? unsigned findings[].file " +
			"findings[].line? findings[].message more?"},
		{Document: exported{}, Commands: "records export", Keys: "output format records"},
		{Document: reported{}, Commands: "records report", Keys: "" +
			"output records pass fail unknown boards first_pass_yield_percent?"},
	})
}
