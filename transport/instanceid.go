package transport

import (
	"strconv"
	"strings"
)

// Windows names a USB function USB\VID_2FE3&PID_0004&MI_02\7&2A3B4C5D&0&0002, and
// a port of an FTDI chip FTDIBUS\VID_0403+PID_6001+A10K4XYZA\0000 (Microsoft,
// "Standard USB Identifiers"). These functions take such texts apart; they are
// not bound to Windows so that they are tested everywhere.

// interfaceOf returns the interface number in a device instance id, or AnyInterface.
func interfaceOf(instanceID string) int {
	for part := range strings.FieldsFuncSeq(instanceID, func(r rune) bool { return strings.ContainsRune(`\&+`, r) }) {
		if len(part) == len("MI_02") && strings.EqualFold(part[:3], "MI_") {
			if n, err := strconv.ParseUint(part[3:], 16, 8); err == nil {
				return int(n)
			}
		}
	}
	return AnyInterface
}

// serialOf returns the serial number in the instance id of a whole USB device,
// or an empty text if Windows made one up, which has an & in it.
func serialOf(instanceID string) string {
	parts := strings.Split(instanceID, `\`)
	if len(parts) != 3 || !strings.EqualFold(parts[0], "USB") ||
		strings.Contains(parts[2], "&") || interfaceOf(parts[1]) != AnyInterface {
		return ""
	}
	return parts[2]
}

// placeOf returns where a device is plugged in from its location path, such as
// PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)#USB(1)#USBMI(2): everything but the part
// of a function, which all functions of one device share.
func placeOf(locationPath string) string {
	place, _, _ := strings.Cut(locationPath, "#USBMI(")
	if !strings.Contains(place, "#USB(") {
		return "" // not on USB
	}
	return place
}
