package transport

import (
	"slices"
	"strings"
)

// Same finds among the ports present now the one that belongs to the same device
// as before, after it was reset and may have come back under another name.
//
// Application and bootloader often differ in product id, product text and number
// of interfaces, some in vendor id and serial number as well. So it goes by, in
// this order:
//
//  1. the serial number, unless it is one of those that many devices share;
//  2. the place where it is plugged in, unless another serial number there
//     says that somebody has changed the board;
//  3. the name, if the system does not tell the place.
//
// If the device has several ports the one with the old interface number is
// taken, else the one with the old name, else the one with the lowest number.
// The answer is false while no such port is there.
//
// A port that is not on USB, such as a UART on the main board, stays where it
// is: the answer is before itself, listed or not, for a PTY is never listed.
func Same(before Port, now []Port) (Port, bool) {
	if !before.USB {
		return before, before.Name != ""
	}
	if isUnique(before.Serial) {
		found, ok := pick(before, now, func(p Port) bool { return p.USB && strings.EqualFold(p.Serial, before.Serial) })
		if ok {
			return found, true
		}
	}
	if before.Location != "" {
		return pick(before, now, func(p Port) bool {
			return p.USB && p.Location == before.Location && !differentBoard(before, p)
		})
	}
	return pick(before, now, func(p Port) bool {
		return p.USB && sameName(p.Name, before.Name) && !differentBoard(before, p)
	})
}

// differentBoard tells whether the serial numbers prove that these are two devices.
func differentBoard(a, b Port) bool {
	return isUnique(a.Serial) && isUnique(b.Serial) && !strings.EqualFold(a.Serial, b.Serial)
}

// isUnique tells whether a serial number identifies one device.
func isUnique(serial string) bool {
	switch strings.ToUpper(serial) {
	case "0123456789ABCDEF", "0123456789", "123456789", "12345678", "1234567890":
		return false // Zephyr's CONFIG_USB_DEVICE_SN and its like, kept by many products
	}
	// Bridge chips leave the factory with 0001 and the like.
	return len(serial) >= 6 && strings.Trim(serial, serial[:1]) != ""
}

func pick(before Port, now []Port, belongs func(Port) bool) (Port, bool) {
	var found []Port
	for _, p := range now {
		if belongs(p) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return Port{}, false
	}
	found = narrow(found, func(p Port) bool { return p.Location == before.Location })
	found = narrow(found, func(p Port) bool { return p.Interface == before.Interface })
	found = narrow(found, func(p Port) bool { return sameName(p.Name, before.Name) })
	return slices.MinFunc(found, func(a, b Port) int {
		if a.Interface != b.Interface {
			return a.Interface - b.Interface
		}
		return compareNames(a.Name, b.Name)
	}), true
}

// narrow keeps the ports that fit, or all if none does.
func narrow(ports []Port, fits func(Port) bool) []Port {
	var kept []Port
	for _, p := range ports {
		if fits(p) {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return ports
	}
	return kept
}
