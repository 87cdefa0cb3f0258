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

// unspecified is an error that every group has.
const unspecified = 1

// Errors of the other groups (Zephyr stat_mgmt.h, settings_mgmt.h, shell_mgmt.h, enum_mgmt.h).
const (
	statInvalidName = 3

	settingsKeyTooLong = 2
	settingsNoKey      = 3
	settingsNoRead     = 4
	settingsNoRoot     = 5
	settingsNoWrite    = 6
	settingsNoSave     = 8

	shellTooLong = 2
	shellEmpty   = 3

	enumIndexTooLarge = 4
)

// Errors of the file system group (Zephyr fs_mgmt.h: FS_MGMT_ERR_*).
const (
	fsUnknown        = 1
	fsInvalidName    = 2
	fsNotFound       = 3
	fsIsDirectory    = 4
	fsWriteFailed    = 10
	fsOffsetNotValid = 11
	fsBehindEnd      = 12
	fsHashNotFound   = 13
	fsNoMountPoint   = 14
	fsReadOnly       = 15
	fsEmpty          = 16
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

func groupFailure(g smp.Group, rc int) *failure { return &failure{group: int(g), rc: rc} }
func fsFailure(rc int) *failure                 { return &failure{group: int(smp.GroupFS), rc: rc} }

// flat is the one number that a client of protocol version 1 gets to see. Much is lost on the way (Zephyr
// os_mgmt.c: os_mgmt_translate_error_code, and so on).
func (f *failure) flat() int {
	switch {
	case f.group < 0:
		return f.rc
	case f.group == int(smp.GroupOS):
		return flatOS(f.rc)
	case f.group == int(smp.GroupImage):
		return flatImage(f.rc)
	case f.group == int(smp.GroupFS):
		return flatFS(f.rc)
	}
	return flatOther(smp.Group(f.group), f.rc)
}

// flatOther is for the groups whose translation is short (Zephyr stat_mgmt.c, settings_mgmt.c, shell_mgmt.c,
// enum_mgmt.c).
func flatOther(g smp.Group, rc int) int {
	type code struct {
		group smp.Group
		rc    int
	}
	switch (code{g, rc}) {
	case code{smp.GroupSettings, settingsKeyTooLong}, code{smp.GroupShell, shellTooLong},
		code{smp.GroupShell, shellEmpty}:
		return rcInvalid
	case code{smp.GroupStat, statInvalidName}, code{smp.GroupSettings, settingsNoKey},
		code{smp.GroupSettings, settingsNoRead}:
		return rcNoEntry
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

func flatFS(rc int) int {
	switch rc {
	case fsInvalidName, fsHashNotFound:
		return rcInvalid
	case fsNotFound, fsNoMountPoint:
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
