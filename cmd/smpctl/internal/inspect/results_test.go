package inspect

import (
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: inspection{}, Commands: "inspect", Keys: inspectionKeys},
		{Document: verification{}, Commands: "verify",
			Keys: "file verified version hash hash_type encrypted decrypted compressed keys[].key keys[].key_hash " +
				"keys[].verified keys[].error?"},
		{Document: packageInspection{}, Commands: "inspect",
			Keys: "file format bytes file_sha256 name? format_version? time? images[].file images[].image " +
				"images[].slot? images[].manifest? " + prefixed("images[].contents?.", inspectionKeys) +
				" images[].error? warnings[]"},
		{Document: packageContent{}, Commands: "package list, package extract, package build",
			Keys: "file format images[].file images[].image images[].slot? images[].bytes images[].version? " +
				"images[].hash? images[].error?"},
	})
}

const inspectionKeys = "" +
	"file format address? bytes content_bytes? file_sha256 image_bytes header.version header.header_bytes " +
	"header.body_bytes header.protected_bytes header.load_address header.flags[] header.flag_bits encrypted " +
	"compressed hash hash_type hash_check signatures[].type signatures[].key_hash? signatures[].public_key? " +
	"signatures[].pure dependencies[].image dependencies[].minimum security_counter? encryption?.scheme " +
	"encryption?.aes_bits encryption?.plain compression?.format compression?.arm_thumb compression?.bytes? " +
	"compression?.hash? compression?.check boot_record?.software_type boot_record?.version " +
	"boot_record?.signer_id boot_record?.hash_type boot_record?.measurement vendor_uuid? class_uuid? " +
	"tlvs[].area tlvs[].type tlvs[].type_id tlvs[].bytes tlvs[].value trailer?.align_bytes " +
	"trailer?.confirmed warnings[]"

func prefixed(prefix, keys string) string {
	return prefix + strings.Join(strings.Fields(keys), " "+prefix)
}
