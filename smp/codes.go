package smp

import "strconv"

// code is one entry of a table of error codes.
type code struct {
	name string // in Zephyr's sources, without the prefix
	text string // for people
}

// Codes that this package acts on (Zephyr mgmt_defines.h: MGMT_ERR_*).
const (
	rcNotSupported = 8
	rcNoMemory     = 2
	rcBusy         = 10
	rcTooOld       = 12
	rcTooNew       = 13
)

// globalCodes are the errors that every group shares (Zephyr include/zephyr/mgmt/mcumgr/mgmt/mgmt_defines.h: enum mcumgr_err_t).
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
	GroupOS:    osCodes,
	GroupImage: imageCodes,
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

// groupName is the short name of a group in messages.
func groupName(g Group) string {
	switch g {
	case GroupOS:
		return "os"
	case GroupImage:
		return "image"
	}
	return "group " + strconv.Itoa(int(g))
}
