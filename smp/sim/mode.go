package sim

import "fmt"

// Mode is what MCUboot was built to do with an update (MCUboot docs/design.md, "Image slots" and following).
type Mode int

// The modes. The zero value swaps, as Zephyr boards do unless told otherwise.
const (
	Swap            Mode = iota // exchanges the slots by moving sectors up, reverts an unconfirmed image
	Overwrite                   // copies slot 1 over slot 0, no way back
	DirectXIP                   // runs from either slot, the highest version wins
	DirectXIPRevert             // the same with trial boot
	RAMLoad                     // copies the highest version to RAM: 4 MiB at 0x20000000
	SwapOffset                  // swaps; an update starts at the second sector of slot 1, a replaced image at the first
)

var modeNames = [...]string{"swap", "overwrite", "direct-xip", "direct-xip-revert", "ram-load", "swap-offset"}

// Modes lists all modes, the default first.
func Modes() []Mode {
	modes := make([]Mode, len(modeNames))
	for i := range modes {
		modes[i] = Mode(i)
	}
	return modes
}

// ParseMode reads a mode as the command line spells it: "swap", "overwrite", "direct-xip", "direct-xip-revert",
// "ram-load" or "swap-offset".
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("boot mode %q: not one of %q", s, modeNames)
}

// String gives the name that [ParseMode] reads.
func (m Mode) String() string {
	if m < 0 || int(m) >= len(modeNames) {
		return fmt.Sprintf("mode %d", int(m))
	}
	return modeNames[m]
}

// swaps reports whether the running image is always in the primary slot.
func (m Mode) swaps() bool { return m == Swap || m == Overwrite || m == SwapOffset }

// number is the mode as the bootloader information command reports it (MCUboot bootutil/boot_status.h: MCUBOOT_MODE_*).
func (m Mode) number() int64 {
	return [...]int64{Swap: 3, Overwrite: 2, DirectXIP: 4, DirectXIPRevert: 5, RAMLoad: 6, SwapOffset: 9}[m]
}
