package transport

import "strings"

// devNode is what Windows tells of one device in its tree. Texts are empty if it does not tell.
type devNode struct {
	id            string   // device instance id; see instanceid.go
	hardwareIDs   []string // what drivers are chosen by, the most exact first
	locationPaths []string // the way to it from the root of the tree
	reported      string   // what the device calls itself (DEVPKEY_Device_BusReportedDeviceDesc)
	friendly      string   // what Windows calls it, for a port with its name: USB Serial Device (COM7)
	manufacturer  string   // who made the driver
}

// portOf makes a port of its name and its devices: that of the port itself, the one it is on, and so on upwards. It is
// false for what is no serial port, such as LPT1.
func portOf(name string, tree []devNode) (Port, bool) {
	digits, ok := cutPrefixFold(name, "COM")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" || len(tree) == 0 {
		return Port{}, false
	}
	port := Port{Name: name, Interface: AnyInterface, Product: productOf(tree[0])}
	usb := usbNodes(tree)
	if len(usb) == 0 {
		return port, true
	}
	device, function := usb[len(usb)-1], usb[0]
	port.USB = true
	port.VID, port.PID, _ = idsOf(device)
	port.Serial = clean(firstOf(usb, func(n devNode) string { return serialOf(n.id) }))
	port.Location = firstOf(usb, func(n devNode) string { return firstIn(n.locationPaths, placeOf) })
	port.Manufacturer = makerOf(tree[0])
	if isWholeDevice(device) && device.reported != "" {
		port.Product = clean(device.reported)
	}
	for _, node := range usb {
		if n := interfaceOf(node.id); n != AnyInterface {
			port.Interface, function = n, node
			break
		}
	}
	if port.Interface != AnyInterface && function.reported != device.reported {
		port.InterfaceName = clean(function.reported)
	}
	return port, true
}

// usbNodes are those of the tree that make up the port's USB device: functions of it, and the device itself at the end.
// There is none if the port is not on USB. The hub above, and a radio that a Bluetooth port goes through, are others.
func usbNodes(tree []devNode) []devNode {
	for i, node := range tree {
		if bus, _, _ := strings.Cut(node.id, `\`); len(bus) >= 3 && strings.EqualFold(bus[:3], "BTH") {
			return nil
		}
		vid, pid, ok := idsOf(node)
		if !ok {
			continue
		}
		end := i + 1
		for end < len(tree) && !isWholeDevice(tree[end-1]) {
			if v, p, ok := idsOf(tree[end]); !ok || v != vid || p != pid {
				break
			}
			end++
		}
		return tree[i:end]
	}
	return nil
}

// idsOf returns vendor and product, from the instance id or else from what a driver is chosen by.
func idsOf(n devNode) (vid, pid USBID, ok bool) {
	if vid, pid, ok = usbIDs(n.id); ok {
		return vid, pid, true
	}
	for _, id := range n.hardwareIDs {
		if vid, pid, ok = usbIDs(id); ok {
			return vid, pid, true
		}
	}
	return 0, 0, false
}

// isWholeDevice tells whether a node is a USB device rather than a function of one.
func isWholeDevice(n devNode) bool {
	return hasPrefixFold(n.id, `USB\`) && interfaceOf(n.id) == AnyInterface
}

// productOf is Windows' words for a port without its name, which it puts behind them: USB Serial Device (COM7).
func productOf(n devNode) string {
	text, rest, found := cutLast(n.friendly, " (")
	if found && hasPrefixFold(rest, "COM") && strings.HasSuffix(rest, ")") {
		return clean(text)
	}
	return clean(n.friendly)
}

// makerOf is the maker of a port's driver, who as a rule has made the chip. Microsoft's own driver takes every device
// of the class, and (Standard port types) is nobody.
func makerOf(n devNode) string {
	if strings.EqualFold(n.manufacturer, "Microsoft") || strings.HasPrefix(n.manufacturer, "(") {
		return ""
	}
	return clean(n.manufacturer)
}

func firstOf(nodes []devNode, text func(devNode) string) string {
	for _, n := range nodes {
		if s := text(n); s != "" {
			return s
		}
	}
	return ""
}

func firstIn(texts []string, take func(string) string) string {
	for _, t := range texts {
		if s := take(t); s != "" {
			return s
		}
	}
	return ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func cutPrefixFold(s, prefix string) (rest string, found bool) {
	if !hasPrefixFold(s, prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
