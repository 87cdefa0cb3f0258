package transport

import (
	"strconv"
	"strings"
)

// Windows names a USB function USB\VID_2FE3&PID_0004&MI_02\7&2A3B4C5D&0&0002, and
// a port of an FTDI chip FTDIBUS\VID_0403+PID_6001+A10K4XYZA\0000 (Microsoft,
// "Standard USB Identifiers"). These functions take such texts apart; they are
// not bound to Windows so that they are tested everywhere.

// partsOf cuts an instance id or a hardware id into its words: USB, VID_2FE3, PID_0004, MI_02.
func partsOf(id string) []string {
	return strings.FieldsFunc(id, func(r rune) bool { return strings.ContainsRune(`\&+`, r) })
}

// usbIDs returns the vendor and the product in an id of a USB device or a part of one, on whatever bus a driver has
// made for its ports.
func usbIDs(id string) (vid, pid USBID, ok bool) {
	var found [2]bool
	for _, part := range partsOf(id) {
		if digits, is := cutPrefixFold(part, "VID_"); is && !found[0] {
			found[0] = len(digits) == 4 && vid.UnmarshalText([]byte(digits)) == nil
		}
		if digits, is := cutPrefixFold(part, "PID_"); is && !found[1] {
			found[1] = len(digits) == 4 && pid.UnmarshalText([]byte(digits)) == nil
		}
	}
	return vid, pid, found[0] && found[1]
}

// interfaceOf returns the interface number in a device instance id, or AnyInterface.
func interfaceOf(instanceID string) int {
	for _, part := range partsOf(instanceID) {
		if digits, is := cutPrefixFold(part, "MI_"); is && len(digits) == 2 {
			if n, err := strconv.ParseUint(digits, 16, 8); err == nil {
				return int(n)
			}
		}
	}
	return AnyInterface
}

// serialOf returns the serial number in the instance id of a whole USB device or of a port of an FTDI chip, or an
// empty text if Windows made one up, which has an & in it.
func serialOf(instanceID string) string {
	parts := strings.Split(instanceID, `\`)
	if len(parts) != 3 || interfaceOf(parts[1]) != AnyInterface {
		return ""
	}
	switch {
	case strings.EqualFold(parts[0], "FTDIBUS"):
		return ftdiSerial(parts[1])
	case !strings.EqualFold(parts[0], "USB") || strings.Contains(parts[2], "&"):
		return ""
	}
	return parts[2]
}

// ftdiSerial returns the serial number of VID_0403+PID_6001+A10K4XYZA, whose last letter names the port of the chip:
// A for the first, also if it has one only.
func ftdiSerial(id string) string {
	parts := strings.Split(id, "+")
	if len(parts) != 3 || strings.Contains(parts[2], "&") {
		return ""
	}
	serial := parts[2]
	if last := len(serial) - 1; last > 0 && strings.Contains("ABCD", serial[last:]) {
		return serial[:last]
	}
	return serial
}

// placeOf returns where a device is plugged in from its location path, such as
// PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)#USB(1)#USBMI(2): everything but the part
// of a function, which all functions of one device share.
func placeOf(locationPath string) string {
	place, _, _ := strings.Cut(locationPath, "#USBMI(")
	end := strings.LastIndex(place, "#USB(")
	if end < 0 {
		return "" // not on USB
	}
	// A driver's own bus below the device adds words of its own.
	if closing := strings.Index(place[end:], ")"); closing >= 0 {
		return clean(place[:end+closing+1])
	}
	return clean(place)
}
