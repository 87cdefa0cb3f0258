package signing

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: signResult{}, Keys: "file output format address? version hash hash_type signature?.type signature?.key_hash? " +
			"signature?.public_key? signature?.pure " +
			"encrypted compressed image_size file_size confirmed?"},
		{Document: prepareResult{}, Keys: "file request payload? sign algorithm input hash digest key_hash version"},
		{Document: vectorResult{}, Keys: "file output vector bytes hash_type hash"},
		{Document: exported{}, Keys: "file key_type encoding output? text?"},
		{Document: publicKeyResult{}, Keys: "file key_type encoding output? text? bytes"},
		{Document: keyHashResult{}, Keys: "file key_type encoding output? text? hash_type hash"},
		{Document: generatedKey{}, Keys: "file key_type encrypted hash_type key_hash public_key"},
		{Document: provisionResult{}, Keys: "output soc key_name policy added keys[].file keys[].key_hash"},
	})
}
