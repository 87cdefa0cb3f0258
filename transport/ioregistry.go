package transport

import (
	"fmt"
	"strings"
)

// ioObject is a handle of an entry of macOS's I/O Registry (io_object_t, a Mach port).
type ioObject uint32

// registry is what listing ports asks of the I/O Registry. What an entry does not have is empty, or false.
type registry interface {
	isA(entry ioObject, class string) bool // or of a class derived from it
	text(entry ioObject, key string) string
	number(entry ioObject, key string) (int64, bool)
	parent(entry ioObject) (ioObject, bool) // to be released
	release(entry ioObject)
}

// Classes of the registry; the second of each is that of systems before 10.11.
var (
	interfaceClasses = []string{"IOUSBHostInterface", "IOUSBInterface"}
	deviceClasses    = []string{"IOUSBHostDevice", "IOUSBDevice"}
)

// registryPorts says which ports serial services are (IOSerialBSDClient), and releases those. A port is its call-out
// node (/dev/cu.*): the tty.* node of the same port waits for a carrier when it is opened. What is just appearing or
// going away is left out.
func registryPorts(r registry, services []ioObject) (ports []Port) {
	for _, service := range services {
		if port, ok := registryPort(r, service); ok {
			ports = append(ports, port)
		}
		r.release(service)
	}
	return ports
}

// registryPort climbs from a serial service to the USB interface and the USB device it is on, if there is one. It looks
// at the class of an entry, not only at its properties: drivers carry the ids they match, and hubs have a serial number
// too.
func registryPort(r registry, service ioObject) (port Port, ok bool) {
	const deepest = 32 // real trees have about ten levels
	port = Port{Name: r.text(service, "IOCalloutDevice"), Interface: AnyInterface}
	if port.Name == "" {
		return port, false
	}
	entry, owned := service, false
	defer func() {
		if owned {
			r.release(entry)
		}
	}()
	for range deepest {
		switch {
		case isAny(r, entry, interfaceClasses):
			readInterface(r, entry, &port)
		case isAny(r, entry, deviceClasses):
			return port, readDevice(r, entry, &port)
		}
		above, exists := r.parent(entry)
		if !exists {
			break
		}
		if owned {
			r.release(entry)
		}
		entry, owned = above, true
	}
	port.Interface, port.InterfaceName = AnyInterface, "" // of a USB device that is nowhere
	return port, true
}

func isAny(r registry, entry ioObject, classes []string) bool {
	for _, class := range classes {
		if r.isA(entry, class) {
			return true
		}
	}
	return false
}

// readInterface reads the interface that is nearest to the port. The port of a CDC ACM function hangs on its data
// interface here, and on its control interface in other systems: the one before it, in every descriptor that is known
// (USB CDC 1.2, 3.4.1).
func readInterface(r registry, entry ioObject, port *Port) {
	const cdcData = 10 // USB CDC 1.2, 4.5
	n, ok := r.number(entry, "bInterfaceNumber")
	if !ok || port.Interface != AnyInterface {
		return
	}
	port.Interface = int(n & 0xff)
	if class, _ := r.number(entry, "bInterfaceClass"); class == cdcData && port.Interface > 0 {
		port.Interface--
	}
	port.InterfaceName = clean(anyText(r, entry, "kUSBString", "USB Interface Name"))
}

// readDevice fills in the identity. It is false if the device is going away.
func readDevice(r registry, device ioObject, port *Port) bool {
	vid, okVID := r.number(device, "idVendor")
	pid, okPID := r.number(device, "idProduct")
	if !okVID || !okPID {
		return false
	}
	port.USB, port.VID, port.PID = true, USBID(vid), USBID(pid)
	port.Serial = clean(anyText(r, device, "kUSBSerialNumberString", "USB Serial Number"))
	port.Product = clean(anyText(r, device, "kUSBProductString", "USB Product Name"))
	port.Manufacturer = clean(anyText(r, device, "kUSBVendorString", "USB Vendor Name"))
	if id, ok := r.number(device, "locationID"); ok {
		port.Location = locationText(uint32(id))
	}
	return true
}

func anyText(r registry, entry ioObject, keys ...string) string {
	for _, key := range keys {
		if text := r.text(entry, key); text != "" {
			return text
		}
	}
	return ""
}

// locationText writes a locationID as Linux writes a place: the bus, which is the top byte, then a port number per hub,
// which are the hexadecimal digits after it down to the first 0. 0x14120000 is 20-1.2. Without a port it is no place.
func locationText(id uint32) string {
	var ports []string
	for shift := 20; shift >= 0 && id>>shift&0xf != 0; shift -= 4 {
		ports = append(ports, fmt.Sprint(id>>shift&0xf))
	}
	if len(ports) == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%s", id>>24, strings.Join(ports, "."))
}
