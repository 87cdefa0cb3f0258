package group

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestResults pins the JSON of every result.
func TestResults(t *testing.T) {
	clitest.CheckResults(t, []clitest.Document{
		{Document: infoResult{}, Commands: "info",
			Keys: "port settings[].name settings[].value settings[].from serial? smp_version board? os? kernel? " +
				"kernel_version? kernel_release? machine? " +
				"processor? built? datetime? buf_size? buf_count? runs application?.version application?.hash? " +
				"bootloader?.bootloader bootloader?.mode? bootloader?.mode_name? bootloader?.no_downgrade " +
				"images[]?.image images[]?.slot images[]?.version images[]?.hash images[]?.bootable " +
				"images[]?.pending images[]?.confirmed images[]?.active images[]?.permanent slots[]?.image " +
				"slots[]?.slots[].slot slots[]?.slots[].bytes slots[]?.slots[].upload_image_id? " +
				"slots[]?.slots[].errno? slots[]?.max_image_bytes? groups[]?.group groups[]?.name " +
				"groups[]?.device_name? groups[]?.handlers? tasks[]?.name tasks[]?.priority tasks[]?.id " +
				"tasks[]?.state tasks[]?.runtime_cycles? tasks[]?.context_switches? tasks[]?.stack_used_bytes? " +
				"tasks[]?.stack_bytes? tasks[]?.last_checkin? tasks[]?.next_checkin? pools[]?.name " +
				"pools[]?.block_bytes pools[]?.blocks pools[]?.free pools[]?.least_free"},
		{Document: app.DownloadedEvent[fileCopy]{}, Event: "downloaded",
			Keys: "event result.name result.bytes result.seconds result.bytes_per_second result.verified? " +
				"result.sha256 result.resent result.already_present result.resumed_from"},
		{Document: statResult{}, Commands: "stat", Keys: "name fields"},
		{Document: namesResult{}, Commands: "stat list, log list, run list", Keys: "names[]"},
		{Document: doneResult{},
			Commands: "settings set, settings delete, settings commit, settings load, settings save, config, zephyr " +
				"erase-storage, log clear, run test",
			Keys: "done name?"},
		{Document: settingResult{}, Commands: "settings get", Keys: "name bytes hex text? int? uint? file?"},
		{Document: configResult{}, Commands: "config", Keys: "name value"},
		{Document: execResult{}, Commands: "shell exec", Keys: "status output exit_code"},
		{Document: shellResult{}, Keys: "status output"},
		{Document: sessionResult{}, Commands: "shell", Keys: "commands[].command commands[].status commands[].output"},
		{Document: enumResult{}, Commands: "enum, enum list, enum details",
			Keys: "groups[].group groups[].name groups[].device_name? groups[].handlers?"},
		{Document: enumCount{}, Commands: "enum count", Keys: "count"},
		{Document: enumSingle{}, Commands: "enum single", Keys: "group name last"},
		{Document: rawResult{}, Commands: "raw", Keys: "group command op answer? cbor"},
		{Document: logResult{}, Commands: "log show",
			Keys: "next_index more logs[].name logs[].type logs[].entries[].index logs[].entries[].timestamp_us " +
				"logs[].entries[].module logs[].entries[].level logs[].entries[].type " +
				"logs[].entries[].image_hash? logs[].entries[].message"},
		{Document: logModules{}, Commands: "log module_list", Keys: "modules[].name modules[].number"},
		{Document: logLevels{}, Commands: "log level_list", Keys: "levels[].name levels[].number"},
		{Document: crashResult{}, Commands: "crash", Keys: "crash answered"},
		{Document: echoResult{}, Commands: "echo", Keys: "text seconds"},
		{Document: paramsResult{}, Commands: "params", Keys: "buf_size buf_count"},
		{Document: osInfoResult{}, Commands: "os-info", Keys: "output"},
		{Document: bootloaderResult{}, Commands: "bootloader", Keys: "bootloader mode? mode_name? no_downgrade"},
		{Document: taskResult{}, Commands: "taskstat",
			Keys: "tasks[].name tasks[].priority tasks[].id tasks[].state tasks[].runtime_cycles? " +
				"tasks[].context_switches? tasks[].stack_used_bytes? tasks[].stack_bytes? tasks[].last_checkin? " +
				"tasks[].next_checkin?"},
		{Document: poolResult{}, Commands: "mpstat",
			Keys: "pools[].name pools[].block_bytes pools[].blocks pools[].free pools[].least_free"},
		{Document: datetimeResult{}, Commands: "datetime", Keys: "datetime"},
		{Document: fileCopy{}, Commands: "fs upload, fs download",
			Keys: "name bytes seconds bytes_per_second verified? sha256 resent already_present resumed_from"},
		{Document: fileSizeResult{}, Commands: "fs size", Keys: "name bytes"},
		{Document: fileHashResult{}, Commands: "fs hash",
			Keys: "name hashes[].type hashes[].digest hashes[].offset hashes[].bytes"},
		{Document: fileClosed{}, Commands: "fs close", Keys: "closed"},
	})
}
