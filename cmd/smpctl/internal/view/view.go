package view

// RecoveryName is what people know the other side as.
const RecoveryName = "MCUboot serial recovery"

// What answers on a port.
const (
	RunsApplication = "application"
	RunsBootloader  = "bootloader"
	RunsUnknown     = "unknown"
)
