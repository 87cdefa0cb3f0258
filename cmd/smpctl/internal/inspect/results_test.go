package inspect

import (
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: inspection{}, Keys: inspectionKeys},
		{Document: verification{}, Keys: "file verified version hash hash_type encrypted decrypted compressed keys[].key keys[].key_hash " +
			"keys[].verified " +
			"keys[].kind? keys[].reason?"},
		{Document: packageInspection{}, Keys: "file format file_size file_sha256 name? format_version? time? members[].name " +
			"members[].image members[].slot? members[].manifest? " +
			prefixed("members[].contents?.", inspectionKeys) + " members[].error? warnings[]"},
		{Document: packageContent{}, Keys: "file format images[].name images[].image images[].slot? images[].bytes images[].version " +
			"images[].hash images[].error?"},
	})
}

const inspectionKeys = "file format address? file_size file_sha256 image_size header.version header.header_size " +
	"header.body_size " +
	"header.protected_size header.load_address header.flags[] header.flag_bits encrypted compressed hash hash_type " +
	"hash_check " +
	"signatures[].type signatures[].key_hash? signatures[].public_key? signatures[].pure dependencies[].image " +
	"dependencies[].minimum " +
	"security_counter? encryption?.scheme encryption?.aes_bits encryption?.plain compression?.format " +
	"compression?.arm_thumb compression?.size? " +
	"compression?.hash? compression?.check boot_record?.software_type boot_record?.version boot_record?.signer_id " +
	"boot_record?.hash_type " +
	"boot_record?.measurement vendor_uuid? class_uuid? tlvs[].area tlvs[].type tlvs[].type_id tlvs[].length " +
	"tlvs[].value trailer?.align trailer?.confirmed warnings[]"

func prefixed(prefix, keys string) string {
	return prefix + strings.Join(strings.Fields(keys), " "+prefix)
}
