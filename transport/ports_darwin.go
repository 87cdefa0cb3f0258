package transport

import (
	"fmt"
	"strings"
)

// systemPorts lists the call-out nodes (/dev/cu.*) of the I/O Registry. The tty.*
// nodes of the same ports wait for a carrier when opened.
func systemPorts() ([]Port, error) {
	kit, err := loadIOKit()
	if err != nil {
		return nil, err
	}
	services, err := kit.services("IOSerialBSDClient")
	if err != nil {
		return nil, err
	}
	var ports []Port
	for _, service := range services {
		// Without a name it is just appearing or going away.
		if name := kit.text(service, "IOCalloutDevice"); name != "" {
			port := Port{Name: name, Interface: AnyInterface}
			kit.identify(service, &port)
			ports = append(ports, port)
		}
		kit.release(service)
	}
	return ports, nil
}

// identify climbs from a serial service to the USB interface and the USB device it
// is on, if there is one. It looks at the class of an entry, not only at its
// properties: drivers carry the ids they match, and hubs have a serial number too.
func (k *ioKit) identify(service ioObject, port *Port) {
	const deepest = 32 // real trees have about ten levels
	entry, owned := service, false
	for range deepest {
		if k.isA(entry, "IOUSBHostInterface", "IOUSBInterface") {
			if n, ok := k.number(entry, "bInterfaceNumber"); ok && port.Interface == AnyInterface {
				port.Interface = int(n & 0xff)
				port.InterfaceName = clean(k.firstText(entry, "kUSBString", "USB Interface Name"))
			}
		}
		if k.isA(entry, "IOUSBHostDevice", "IOUSBDevice") {
			k.readDevice(entry, port)
			break
		}
		parent, ok := k.parent(entry)
		if owned {
			k.release(entry)
		}
		if !ok {
			return
		}
		entry, owned = parent, true
	}
	if owned {
		k.release(entry)
	}
}

func (k *ioKit) readDevice(device ioObject, port *Port) {
	vid, okVID := k.number(device, "idVendor")
	pid, okPID := k.number(device, "idProduct")
	if !okVID || !okPID {
		return // going away
	}
	port.USB, port.VID, port.PID = true, USBID(vid), USBID(pid)
	port.Serial = clean(k.firstText(device, "kUSBSerialNumberString", "USB Serial Number"))
	port.Product = clean(k.firstText(device, "kUSBProductString", "USB Product Name"))
	port.Manufacturer = clean(k.firstText(device, "kUSBVendorString", "USB Vendor Name"))
	if id, ok := k.number(device, "locationID"); ok {
		port.Location = locationText(uint32(id))
	}
}

func (k *ioKit) firstText(entry ioObject, keys ...string) string {
	for _, key := range keys {
		if text := k.text(entry, key); text != "" {
			return text
		}
	}
	return ""
}

// locationText writes a locationID as Linux writes a place: the bus, which is the
// top byte, then a port number per hub, which are the hexadecimal digits after
// it down to the first 0. 0x14120000 is 20-1.2.
func locationText(id uint32) string {
	var ports []string
	for shift := 20; shift >= 0 && id>>shift&0xf != 0; shift -= 4 {
		ports = append(ports, fmt.Sprint(id>>shift&0xf))
	}
	return fmt.Sprintf("%d-%s", id>>24, strings.Join(ports, "."))
}
