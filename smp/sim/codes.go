package sim

import "github.com/smpctl/smpctl/smp"

// Errors of the protocol itself (Zephyr mgmt_defines.h: MGMT_ERR_*).
const (
	rcUnknown      = 1
	rcNoMemory     = 2
	rcInvalid      = 3
	rcNoEntry      = 5
	rcBadState     = 6
	rcTooLarge     = 7
	rcNotSupported = 8
	rcCorrupt      = 9
	rcTooNew       = 13
)

// Errors of the OS group (Zephyr os_mgmt.h: OS_MGMT_ERR_*).
const (
	osInvalidFormat = 2
	osNoAnswer      = 3
	osClockNotSet   = 4
	osClockFailed   = 5
)

// Errors of the image group (Zephyr img_mgmt.h: IMG_MGMT_ERR_*).
const (
	imgNoImage          = 3
	imgNoTLVs           = 4
	imgInvalidTLV       = 5
	imgManyHashes       = 6
	imgTLVSize          = 7
	imgHashNotFound     = 8
	imgNoFreeSlot       = 9
	imgOpenFailed       = 10
	imgWriteFailed      = 12
	imgEraseFailed      = 13
	imgInvalidOffset    = 20
	imgInvalidLength    = 21
	imgInvalidHeader    = 22
	imgInvalidMagic     = 23
	imgInvalidHash      = 24
	imgInvalidAddress   = 25
	imgVersionFailed    = 26
	imgVersionNotNewer  = 27
	imgAlreadyPending   = 28
	imgVectorTable      = 29
	imgTooLarge         = 30
	imgDataOverrun      = 31
	imgConfirmDenied    = 32
	imgTestActiveDenied = 33
)

// failure is a command that did not work. With group below zero rc is an error of the protocol itself, which every
// client sees as {"rc": n}; otherwise it is an error of that group.
type failure struct {
	group  int
	rc     int
	reason string // for the rsn key of verbose builds; may be empty
}

func protocolFailure(rc int) *failure { return &failure{group: -1, rc: rc} }

func osFailure(rc int) *failure { return &failure{group: int(smp.GroupOS), rc: rc} }

func imageFailure(rc int, reason string) *failure {
	return &failure{group: int(smp.GroupImage), rc: rc, reason: reason}
}

// flat is the one number that a client of protocol version 1 gets to see. Much is lost on the way (Zephyr
// os_mgmt.c: os_mgmt_translate_error_code, img_mgmt.c: img_mgmt_translate_error_code).
func (f *failure) flat() int {
	switch {
	case f.group < 0:
		return f.rc
	case f.group == int(smp.GroupOS):
		return flatOS(f.rc)
	case f.group == int(smp.GroupImage):
		return flatImage(f.rc)
	}
	return rcUnknown
}

func flatOS(rc int) int {
	switch rc {
	case osInvalidFormat:
		return rcInvalid
	case osNoAnswer, osClockNotSet:
		return rcNoEntry
	}
	return rcUnknown
}

func flatImage(rc int) int {
	switch rc {
	case imgNoImage, imgNoTLVs:
		return rcNoEntry
	case imgNoFreeSlot, imgVersionNotNewer, imgAlreadyPending:
		return rcBadState
	case imgInvalidOffset, imgInvalidLength, imgInvalidHeader, imgInvalidHash, imgInvalidAddress:
		return rcInvalid
	}
	return rcUnknown
}
