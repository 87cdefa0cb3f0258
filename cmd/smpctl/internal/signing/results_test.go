package signing

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: signResult{}, Commands: "sign, sign attach, sign again",
			Keys: "file output format address? version hash hash_type signature?.type signature?.key_hash? " +
				"signature?.public_key? signature?.pure encrypted compressed image_bytes bytes confirmed?"},
		{Document: prepareResult{}, Commands: "sign prepare",
			Keys: "file request payload? sign algorithm input hash_type digest key_hash version"},
		{Document: vectorResult{}, Commands: "sign", Keys: "file output vector bytes hash_type hash"},
		{Document: exported{}, Keys: "file key_type encoding output? text?"},
		{Document: publicKeyResult{}, Commands: "key public", Keys: "file key_type encoding output? text? hex"},
		{Document: keyHashResult{}, Commands: "key hash",
			Keys: "file key_type encoding output? text? hash_type key_hash"},
		{Document: keyInfoResult{}, Commands: "key info", Keys: "file half encrypted key_type?"},
		{Document: generatedKey{}, Commands: "key generate",
			Keys: "file key_type encrypted hash_type key_hash public_key_pem"},
		{Document: provisionResult{}, Commands: "key provision",
			Keys: "output soc key_name policy added keys[].file keys[].key_hash"},
	})
}
