package transport

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func systemPorts() ([]Port, error) { return sysfsPorts("/sys", "/dev") }

// sysfsPorts lists the ports found under the sysfs mounted at sys whose node is
// in dev. It only reads sysfs and opens no port: opening one changes its settings
// and its DTR line, and disturbs whoever uses it as a console.
func sysfsPorts(sys, dev string) ([]Port, error) {
	class := filepath.Join(sys, "class", "tty")
	entries, err := os.ReadDir(class)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without any tty
	}
	if err != nil {
		return nil, err
	}
	var ports []Port
	for _, entry := range entries {
		if port, ok := sysfsPort(filepath.Join(class, entry.Name()), dev); ok {
			ports = append(ports, port)
		}
	}
	return ports, nil
}

// sysfsPort reads one entry of /sys/class/tty. It is false for virtual consoles,
// placeholders and whatever disappears while being read.
func sysfsPort(entry, dev string) (Port, bool) {
	// Most entries are virtual consoles, and whoever waits for a port lists them again and again.
	if target, err := os.Readlink(entry); err == nil && strings.Contains(target, "/virtual/") {
		return Port{}, false
	}
	device, err := filepath.EvalSymlinks(filepath.Join(entry, "device"))
	if err != nil {
		return Port{}, false // virtual consoles and PTYs have no device
	}
	port := Port{
		// A ! stands for a / in the names of sysfs.
		Name:      filepath.Join(dev, strings.ReplaceAll(filepath.Base(entry), "!", "/")),
		Interface: AnyInterface,
	}
	if _, err := os.Stat(port.Name); err != nil {
		return Port{}, false // not created yet, gone already, or not in this container
	}
	if usb, iface := usbParents(device); usb != "" {
		ok := readUSB(&port, usb, iface)
		return port, ok
	}
	return port, isUART(entry)
}

// usbParents climbs from a tty's device to the USB device it is on, and to the
// interface of that device on the way. usb is empty if there is none.
func usbParents(device string) (usb, iface string) {
	for dir := device; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if iface == "" && exists(dir, "bInterfaceNumber") {
			iface = dir
		}
		if exists(dir, "idVendor") && exists(dir, "idProduct") {
			return dir, iface
		}
	}
	return "", ""
}

// readUSB fills in the identity (Linux Documentation/ABI/stable/sysfs-bus-usb).
// It is false if the device went away.
func readUSB(port *Port, usb, iface string) bool {
	port.USB = true
	if port.VID.UnmarshalText([]byte(attribute(usb, "idVendor"))) != nil ||
		port.PID.UnmarshalText([]byte(attribute(usb, "idProduct"))) != nil {
		return false
	}
	port.Serial = clean(attribute(usb, "serial"))
	port.Product = clean(attribute(usb, "product"))
	port.Manufacturer = clean(attribute(usb, "manufacturer"))
	port.Location = clean(filepath.Base(usb))
	if iface == "" {
		return true
	}
	if n, err := strconv.ParseUint(attribute(iface, "bInterfaceNumber"), 16, 8); err == nil {
		port.Interface = int(n)
	}
	port.InterfaceName = clean(attribute(iface, "interface"))
	return true
}

// isUART tells whether a serial driver found hardware: the type attribute of the
// kernel's serial core is 0 (PORT_UNKNOWN) for the ttyS an 8250 driver only
// reserves. Ports that are not UARTs (a hypervisor's console) have no type.
func isUART(entry string) bool {
	n, err := strconv.Atoi(attribute(entry, "type"))
	return err == nil && n != 0
}

// attribute returns a file of sysfs without the newline, empty if there is none.
func attribute(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}
