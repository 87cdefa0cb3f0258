package transport

import (
	"cmp"
	"slices"
	"strings"
)

// Same finds among the ports present now those of the same device as before, after
// it was reset and may have come back under other names. They are in the order of
// their interface numbers, and those of one interface in that of their names.
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
// Of several devices with one serial number it is the one at the old place, and
// none if that is not among them. Which port of a device to take is not decided
// here: see Interface, VID and PID of the answer. It is empty while the device is
// away.
//
// A port that is not on USB, such as a UART on the main board, stays where it
// is: the answer is before itself, listed or not, for a PTY is never listed.
func Same(before Port, now []Port) []Port {
	switch {
	case !before.USB && before.Name == "":
		return nil
	case !before.USB:
		return []Port{before}
	}
	found := sameSerial(before, now)
	if len(found) == 0 {
		found = samePlace(before, now)
	}
	slices.SortFunc(found, func(a, b Port) int {
		return cmp.Or(a.Interface-b.Interface, compareNames(a.Name, b.Name))
	})
	return found
}

// sameSerial returns the ports of one device with the serial number that the device had.
func sameSerial(before Port, now []Port) []Port {
	if !isUnique(before.Serial) {
		return nil
	}
	found := only(now, func(p Port) bool { return p.USB && strings.EqualFold(p.Serial, before.Serial) })
	if slices.ContainsFunc(found, func(p Port) bool { return p.Location != found[0].Location }) {
		return only(found, func(p Port) bool { return p.Location == before.Location })
	}
	return found
}

// samePlace returns the ports where the device was.
func samePlace(before Port, now []Port) []Port {
	return only(now, func(p Port) bool {
		there := p.Location == before.Location
		if before.Location == "" {
			there = sameName(p.Name, before.Name)
		}
		return there && p.USB && !differentBoard(before, p)
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

// only returns the ports that fit.
func only(ports []Port, fits func(Port) bool) []Port {
	var kept []Port
	for _, p := range ports {
		if fits(p) {
			kept = append(kept, p)
		}
	}
	return kept
}
