package smp

// code is one entry of a table of error codes.
type code struct {
	name string // in Zephyr's sources, without the prefix
	text string // for people
}

// Codes that this package acts on (Zephyr mgmt_defines.h: MGMT_ERR_*).
const (
	rcUnknown      = 1
	rcNoMemory     = 2
	rcInvalid      = 3
	rcNoEntry      = 5
	rcNotSupported = 8
	rcBusy         = 10
	rcTooOld       = 12
	rcTooNew       = 13
)

// imageNoMemory is the code of the image group that this package acts on (Zephyr img_mgmt.h:
// IMG_MGMT_ERR_NO_FREE_MEMORY).
const imageNoMemory = 15

// globalCodes are the errors that every group shares (Zephyr include/zephyr/mgmt/mcumgr/mgmt/mgmt_defines.h: enum
// mcumgr_err_t).
var globalCodes = map[int]code{
	1:  {"EUNKNOWN", "unspecified failure"},
	2:  {"ENOMEM", "out of memory or buffers"},
	3:  {"EINVAL", "bad or missing argument"},
	4:  {"ETIMEOUT", "timed out on the device"},
	5:  {"ENOENT", "no such item"},
	6:  {"EBADSTATE", "not possible in the current state"},
	7:  {"EMSGSIZE", "answer does not fit the device's buffer"},
	8:  {"ENOTSUP", "the device does not have this command"},
	9:  {"ECORRUPT", "the device received a malformed packet"},
	10: {"EBUSY", "busy, try again later"},
	11: {"EACCESSDENIED", "access denied"},
	12: {"UNSUPPORTED_TOO_OLD", "protocol version too old for the device"},
	13: {"UNSUPPORTED_TOO_NEW", "protocol version too new for the device"},
}

// groupCodes are the errors of the groups, as version 2 reports them.
var groupCodes = map[Group]map[int]code{
	GroupOS:       osCodes,
	GroupImage:    imageCodes,
	GroupStat:     statCodes,
	GroupSettings: settingsCodes,
	GroupFS:       fsCodes,
	GroupShell:    shellCodes,
	GroupEnum:     enumCodes,
	GroupZephyr:   zephyrCodes,
}

// osCodes: Zephyr grp/os_mgmt/os_mgmt.h, enum os_mgmt_err_code_t.
var osCodes = map[int]code{
	1: {"UNKNOWN", "unspecified failure"},
	2: {"INVALID_FORMAT", "unknown letter in the info format"},
	3: {"QUERY_YIELDS_NO_ANSWER", "the bootloader query is not known"},
	4: {"RTC_NOT_SET", "the clock has never been set"},
	5: {"RTC_COMMAND_FAILED", "the clock refused the date"},
	6: {"QUERY_RESPONSE_VALUE_NOT_VALID", "the bootloader's answer is not usable"},
	7: {"HEAP_STATS_FETCH_FAILED", "memory statistics are not available"},
}

// imageCodes: Zephyr grp/img_mgmt/img_mgmt.h, enum img_mgmt_err_code_t.
var imageCodes = map[int]code{
	1:  {"UNKNOWN", "unspecified failure"},
	2:  {"FLASH_CONFIG_QUERY_FAIL", "flash layout is not readable"},
	3:  {"NO_IMAGE", "no image in the slot"},
	4:  {"NO_TLVS", "the image has no TLV area"},
	5:  {"INVALID_TLV", "the image's TLV area is malformed"},
	6:  {"TLV_MULTIPLE_HASHES_FOUND", "the image has more than one hash"},
	7:  {"TLV_INVALID_SIZE", "the image has a TLV of the wrong size"},
	8:  {"HASH_NOT_FOUND", "no slot holds an image with this hash"},
	9:  {"NO_FREE_SLOT", "no slot may be written: it is in use, or the fallback of an unconfirmed image"},
	10: {"FLASH_OPEN_FAILED", "flash could not be opened"},
	11: {"FLASH_READ_FAILED", "flash could not be read"},
	12: {"FLASH_WRITE_FAILED", "flash could not be written"},
	13: {"FLASH_ERASE_FAILED", "flash could not be erased"},
	14: {"INVALID_SLOT", "no such slot"},
	15: {"NO_FREE_MEMORY", "out of memory"},
	16: {"FLASH_CONTEXT_ALREADY_SET", "an upload is in progress"},
	17: {"FLASH_CONTEXT_NOT_SET", "no upload is in progress"},
	18: {"FLASH_AREA_DEVICE_NULL", "the slot has no flash device"},
	19: {"INVALID_PAGE_OFFSET", "invalid page offset"},
	20: {"INVALID_OFFSET", "offset is missing"},
	21: {"INVALID_LENGTH", "length is missing"},
	22: {"INVALID_IMAGE_HEADER", "the first chunk is too short for an image header"},
	23: {"INVALID_IMAGE_HEADER_MAGIC", "not an MCUboot image"},
	24: {"INVALID_HASH", "hash is missing or has the wrong length"},
	25: {"INVALID_FLASH_ADDRESS", "the image was linked for another slot"},
	26: {"VERSION_GET_FAILED", "the running version is not readable"},
	27: {"CURRENT_VERSION_IS_NEWER", "the running image is as new or newer"},
	28: {"IMAGE_ALREADY_PENDING", "another image is already selected for the next boot"},
	29: {"INVALID_IMAGE_VECTOR_TABLE", "the image's vector table is invalid"},
	30: {"INVALID_IMAGE_TOO_LARGE", "the image does not fit the slot"},
	31: {"INVALID_IMAGE_DATA_OVERRUN", "more data than announced"},
	32: {"IMAGE_CONFIRMATION_DENIED", "confirming this slot is not allowed"},
	33: {"IMAGE_SETTING_TEST_TO_ACTIVE_DENIED", "the running image cannot be marked for test"},
	34: {"ACTIVE_SLOT_NOT_KNOWN", "the running slot is not known"},
}

// statCodes: Zephyr grp/stat_mgmt/stat_mgmt.h, enum stat_mgmt_err_code_t. Servers answer 3 to the name of a group too.
var statCodes = map[int]code{
	1: {"UNKNOWN", "unspecified failure"},
	2: {"INVALID_GROUP", "no such statistics"},
	3: {"INVALID_STAT_NAME", "no statistics of this name"},
	4: {"INVALID_STAT_SIZE", "a value has a size that cannot be sent"},
	5: {"WALK_ABORTED", "reading the values was aborted"},
}

// settingsCodes: Zephyr grp/settings_mgmt/settings_mgmt.h, enum settings_mgmt_ret_code_t.
var settingsCodes = map[int]code{
	1: {"UNKNOWN", "unspecified failure"},
	2: {"KEY_TOO_LONG", "the name is longer than the device takes"},
	3: {"KEY_NOT_FOUND", "no such setting"},
	4: {"READ_NOT_SUPPORTED", "the setting cannot be read"},
	5: {"ROOT_KEY_NOT_FOUND", "no part of the firmware has settings of this name"},
	6: {"WRITE_NOT_SUPPORTED", "the setting cannot be written"},
	7: {"DELETE_NOT_SUPPORTED", "the setting cannot be deleted"},
	8: {"SAVE_NOT_SUPPORTED", "the firmware has nowhere to save settings"},
}

// shellCodes: Zephyr grp/shell_mgmt/shell_mgmt.h, enum shell_mgmt_err_code_t.
var shellCodes = map[int]code{
	1: {"UNKNOWN", "unspecified failure"},
	2: {"COMMAND_TOO_LONG", "the command line is longer than the device takes"},
	3: {"EMPTY_COMMAND", "the command line is empty"},
}

// enumCodes: Zephyr grp/enum_mgmt/enum_mgmt.h, enum enum_mgmt_err_code_t.
var enumCodes = map[int]code{
	1: {"UNKNOWN", "unspecified failure"},
	2: {"TOO_MANY_GROUP_ENTRIES", "more groups named than the device has"},
	3: {"INSUFFICIENT_HEAP_FOR_ENTRIES", "out of memory"},
	4: {"INDEX_TOO_LARGE", "the device has fewer groups"},
}

// zephyrCodes: Zephyr grp/zephyr/zephyr_basic.h, enum zephyr_basic_group_err_code_t.
var zephyrCodes = map[int]code{
	1: {"UNKNOWN", "unspecified failure"},
	2: {"FLASH_OPEN_FAILED", "the storage could not be opened"},
	3: {"FLASH_CONFIG_QUERY_FAIL", "the storage's layout is not readable"},
	4: {"FLASH_ERASE_FAILED", "the storage could not be erased"},
}

// Codes of the file system group that this package acts on.
const (
	fsInvalidName    = 2
	fsNotFound       = 3
	fsIsDirectory    = 4
	fsOffsetNotValid = 11
	fsFileEmpty      = 16
)

// fsCodes: Zephyr grp/fs_mgmt/fs_mgmt.h, enum fs_mgmt_err_code_t.
var fsCodes = map[int]code{
	1:  {"UNKNOWN", "unspecified failure of the file system"},
	2:  {"FILE_INVALID_NAME", "the name is no path of a file: it begins with a slash and the mount point"},
	3:  {"FILE_NOT_FOUND", "no such file"},
	4:  {"FILE_IS_DIRECTORY", "the name is that of a directory"},
	5:  {"FILE_OPEN_FAILED", "the file could not be opened"},
	6:  {"FILE_SEEK_FAILED", "the place in the file could not be reached"},
	7:  {"FILE_READ_FAILED", "the file could not be read"},
	8:  {"FILE_TRUNCATE_FAILED", "the old content could not be removed"},
	9:  {"FILE_DELETE_FAILED", "the old file could not be deleted"},
	10: {"FILE_WRITE_FAILED", "the file could not be written: perhaps the file system is full"},
	11: {"FILE_OFFSET_NOT_VALID", "the device wants another offset"},
	12: {"FILE_OFFSET_LARGER_THAN_FILE", "the offset is behind the end of the file"},
	13: {"CHECKSUM_HASH_NOT_FOUND", "the device does not have this type of hash or checksum"},
	14: {"MOUNT_POINT_NOT_FOUND", "no such directory, or nothing is mounted there"},
	15: {"READ_ONLY_FILESYSTEM", "the file system is read-only"},
	16: {"FILE_EMPTY", "the file is empty"},
	17: {"FILE_CLOSE_FAILED", "the file could not be closed"},
}
