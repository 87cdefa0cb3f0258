package smp

import (
	"context"
	"errors"
	"fmt"
)

// SwapMode is how MCUboot handles updates, as the application knows it (Zephyr os_mgmt: bootloader info, query "mode").
type SwapMode int

// The modes (MCUboot boot/bootutil/include/bootutil/boot_status.h: enum mcuboot_mode).
const (
	ModeUnknown           SwapMode = -1
	ModeSingleSlot        SwapMode = 0
	ModeSwapScratch       SwapMode = 1
	ModeOverwrite         SwapMode = 2
	ModeSwapMove          SwapMode = 3
	ModeDirectXIP         SwapMode = 4
	ModeDirectXIPRevert   SwapMode = 5
	ModeRAMLoad           SwapMode = 6
	ModeFirmwareLoader    SwapMode = 7
	ModeSingleSlotRAMLoad SwapMode = 8
	ModeSwapOffset        SwapMode = 9
)

var modeNames = [...]string{
	"single slot", "swap using scratch", "overwrite only", "swap using move", "direct XIP", "direct XIP with revert",
	"RAM load", "firmware loader", "single slot RAM load", "swap using offset",
}

// String gives the mode in words.
func (m SwapMode) String() string {
	switch {
	case m == ModeUnknown:
		return "unknown"
	case m >= 0 && int(m) < len(modeNames):
		return modeNames[m]
	}
	return fmt.Sprintf("mode %d", int(m))
}

// BootloaderInfo is what the application knows of its bootloader.
type BootloaderInfo struct {
	Name        string   // "MCUboot"
	Mode        SwapMode // ModeUnknown if the device does not say
	NoDowngrade bool     // the bootloader refuses lower versions; false if the device does not say
}

type bootloaderRequest struct {
	Query string `cbor:"query,omitempty"`
}

type bootloaderReply struct {
	Name        string `cbor:"bootloader"`
	Mode        *int64 `cbor:"mode"`
	NoDowngrade bool   `cbor:"no-downgrade"`
}

// Bootloader asks for the bootloader's name and, of MCUboot, its mode: two requests.
func (g OSGroup) Bootloader(ctx context.Context) (BootloaderInfo, error) {
	info := BootloaderInfo{Mode: ModeUnknown}
	r, err := osBootloader.do(ctx, g.c, bootloaderRequest{})
	if err != nil {
		return info, err
	}
	info.Name = r.Name
	r, err = osBootloader.do(ctx, g.c, bootloaderRequest{"mode"})
	if err != nil {
		var refused *DeviceError
		if errors.As(err, &refused) { // a bootloader other than MCUboot has no mode
			return info, nil
		}
		return info, err
	}
	if r.Mode != nil && *r.Mode >= -1 && *r.Mode <= 1<<15 {
		info.Mode = SwapMode(*r.Mode)
	}
	info.NoDowngrade = r.NoDowngrade
	return info, nil
}
