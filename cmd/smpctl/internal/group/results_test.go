package group

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: infoResult{}, Keys: "port settings[].name settings[].value settings[].from serial? smp_version board? os? kernel? kernel_version? kernel_release? machine? " +
			"processor? built? datetime? buf_size? buf_count? runs " +
			"application?.version application?.hash bootloader?.bootloader bootloader?.mode bootloader?.mode_name " +
			"bootloader?.no_downgrade " +
			"images[].image images[].slot images[].version images[].hash images[].bootable images[].pending " +
			"images[].confirmed images[].active " +
			"images[].permanent slots[]?.image slots[]?.slots[].slot slots[]?.slots[].size " +
			"slots[]?.slots[].upload_image_id? " +
			"slots[]?.slots[].errno? slots[]?.max_image_size? groups[]?.group groups[]?.name groups[]?.device_name? " +
			"groups[]?.handlers? " +
			"tasks[]?.name tasks[]?.priority tasks[]?.id tasks[]?.state tasks[]?.runtime_cycles? " +
			"tasks[]?.context_switches? " +
			"tasks[]?.stack_used_bytes? tasks[]?.stack_bytes? tasks[]?.last_checkin? tasks[]?.next_checkin? " +
			"pools[]?.name pools[]?.block_bytes pools[]?.blocks pools[]?.free pools[]?.least_free"},
		{Document: statResult{}, Keys: "name fields"},
		{Document: namesResult{}, Keys: "names[]"},
		{Document: doneResult{}, Keys: "done name?"},
		{Document: settingResult{}, Keys: "name size hex text? int? uint? file?"},
		{Document: configResult{}, Keys: "name value"},
		{Document: execResult{}, Keys: "status output exit_code"},
		{Document: shellResult{}, Keys: "status output"},
		{Document: sessionResult{}, Keys: "commands[].command commands[].status commands[].output"},
		{Document: enumResult{}, Keys: "groups[].group groups[].name groups[].device_name? groups[].handlers?"},
		{Document: enumCount{}, Keys: "count"},
		{Document: enumSingle{}, Keys: "group name last"},
		{Document: rawResult{}, Keys: "group command op answer[] cbor"},
		{Document: logResult{}, Keys: "next_index more logs[].name logs[].type logs[].entries[].index logs[].entries[].timestamp_us " +
			"logs[].entries[].module " +
			"logs[].entries[].level logs[].entries[].type logs[].entries[].image_hash? logs[].entries[].message"},
		{Document: logModules{}, Keys: "modules[].name modules[].number"},
		{Document: logLevels{}, Keys: "levels[].name levels[].number"},
		{Document: crashResult{}, Keys: "crash answered"},
		{Document: echoResult{}, Keys: "text seconds"},
		{Document: paramsResult{}, Keys: "buf_size buf_count"},
		{Document: osInfoResult{}, Keys: "output"},
		{Document: bootloaderResult{}, Keys: "bootloader mode mode_name no_downgrade"},
		{Document: taskResult{}, Keys: "tasks[].name tasks[].priority tasks[].id tasks[].state tasks[].runtime_cycles? " +
			"tasks[].context_switches? " +
			"tasks[].stack_used_bytes? tasks[].stack_bytes? tasks[].last_checkin? tasks[].next_checkin?"},
		{Document: poolResult{}, Keys: "pools[].name pools[].block_bytes pools[].blocks pools[].free pools[].least_free"},
		{Document: datetimeResult{}, Keys: "datetime"},
		{Document: fileCopy{}, Keys: "name bytes seconds bytes_per_second verified? sha256 resent already_present resumed_from"},
		{Document: fileSizeResult{}, Keys: "name bytes"},
		{Document: fileHashResult{}, Keys: "name hashes[].type hashes[].hash hashes[].offset hashes[].bytes"},
		{Document: fileClosed{}, Keys: "closed"},
	})
}
