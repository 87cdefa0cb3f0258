package transport_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/smpctl/smpctl/transport"
)

// sysfs is a fake /sys with its /dev.
type sysfs struct {
	t        *testing.T
	sys, dev string
}

func newSysfs(t *testing.T) *sysfs {
	t.Helper()
	s := &sysfs{t, filepath.Join(t.TempDir(), "sys"), filepath.Join(t.TempDir(), "dev")}
	s.dir(s.path("class/tty"))
	s.dir(s.dev)
	return s
}

func (s *sysfs) path(name string) string { return filepath.Join(s.sys, name) }

func (s *sysfs) dir(path string) {
	s.t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// files writes attributes, each with the newline the kernel ends them with.
func (s *sysfs) files(dir string, attributes map[string]string) {
	s.t.Helper()
	s.dir(s.path(dir))
	for name, value := range attributes {
		if err := os.WriteFile(filepath.Join(s.path(dir), name), []byte(value+"\n"), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}

// tty makes a tty on the device in dir, and its node. As in a real sysfs the entry in
// class/tty is a link into devices, and the device link in there leads up again.
func (s *sysfs) tty(name, dir string, attributes map[string]string) {
	s.t.Helper()
	home := filepath.Join(dir, "tty", name)
	s.files(home, attributes)
	s.link(filepath.Join("..", ".."), filepath.Join(s.path(home), "device"))
	s.link(s.path(home), s.path("class/tty/"+name))
	node := filepath.Join(s.dev, strings.ReplaceAll(name, "!", "/"))
	s.dir(filepath.Dir(node))
	if err := os.WriteFile(node, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sysfs) link(target, name string) {
	s.t.Helper()
	if err := os.Symlink(target, name); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sysfs) usbDevice(dir string, attributes map[string]string) { s.files(dir, attributes) }

// list returns the ports with their names in /dev.
func (s *sysfs) list() []transport.Port {
	s.t.Helper()
	ports, err := transport.SysfsPorts(s.sys, s.dev)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range ports {
		ports[i].Name = "/dev" + strings.TrimPrefix(ports[i].Name, s.dev)
	}
	return ports
}

const hub = "devices/pci0000:00/0000:00:14.0/usb1/1-1"

// board puts a device with two CDC ACM functions on a hub that has an identity of its own.
func (s *sysfs) board() {
	s.usbDevice(hub, map[string]string{"idVendor": "0424", "idProduct": "2514", "serial": "HUB", "product": "Hub"})
	s.usbDevice(hub+"/1-1.2", map[string]string{
		"idVendor": "2fe3", "idProduct": "0004", "serial": "E6633861A34B", "product": "CDC \x1b[31mACM",
		"manufacturer": "Zephyr Project",
	})
	s.files(hub+"/1-1.2/1-1.2:1.0", map[string]string{"bInterfaceNumber": "00", "interface": "Console"})
	s.tty("ttyACM0", hub+"/1-1.2/1-1.2:1.0", nil)
	s.files(hub+"/1-1.2/1-1.2:1.2", map[string]string{"bInterfaceNumber": "0a"})
	s.tty("ttyACM1", hub+"/1-1.2/1-1.2:1.2", nil)
}

var (
	boardPort = transport.Port{
		USB: true, VID: 0x2fe3, PID: 4, Serial: "E6633861A34B", Product: "CDC ?[31mACM", Manufacturer: "Zephyr Project",
		Location: "1-1.2",
	}
	byName = cmpopts.SortSlices(func(a, b transport.Port) bool { return a.Name < b.Name })
)

func TestSysfsPorts(t *testing.T) {
	first, second := boardPort, boardPort
	first.Name, first.Interface, first.InterfaceName = "/dev/ttyACM0", 0, "Console"
	second.Name, second.Interface = "/dev/ttyACM1", 10
	const pnp = "devices/pnp0/00:01/00:01:0/00:01:0.0"
	tests := []struct {
		name string
		make func(*sysfs)
		want []transport.Port
	}{
		{"nothing", func(*sysfs) {}, nil},
		{"two functions of a device behind a hub", (*sysfs).board, []transport.Port{first, second}},
		{"a bridge, with a level more and hardly any text", func(s *sysfs) {
			s.usbDevice("devices/usb1/1-3", map[string]string{"idVendor": "1a86", "idProduct": "7523"})
			s.files("devices/usb1/1-3/1-3:1.0", map[string]string{"bInterfaceNumber": "00"})
			s.dir(s.path("devices/usb1/1-3/1-3:1.0/ttyUSB0"))
			s.tty("ttyUSB0", "devices/usb1/1-3/1-3:1.0/ttyUSB0", nil)
		}, []transport.Port{{Name: "/dev/ttyUSB0", USB: true, VID: 0x1a86, PID: 0x7523, Location: "1-3"}}},
		{"UARTs on the board", func(s *sysfs) {
			s.tty("ttyS0", pnp, map[string]string{"type": "4"})
			s.tty("ttyS1", "devices/platform/serial8250/serial8250:0/serial8250:0.1", map[string]string{"type": "0"})
			s.tty("ttyAMA0", "devices/platform/soc/fe201000.serial", map[string]string{"type": "32"})
			s.tty("ttymxc2", "devices/platform/soc/30890000.serial", map[string]string{"type": "62"})
			s.tty("ttyTHS1", "devices/platform/3110000.serial", map[string]string{"type": "125"})
		}, []transport.Port{
			{Name: "/dev/ttyAMA0", Interface: -1}, {Name: "/dev/ttyS0", Interface: -1},
			{Name: "/dev/ttyTHS1", Interface: -1}, {Name: "/dev/ttymxc2", Interface: -1},
		}},
		{"a node in a folder", func(s *sysfs) {
			s.tty("board!tty0", "devices/platform/uart", map[string]string{"type": "13"})
		}, []transport.Port{{Name: "/dev/board/tty0", Interface: -1}}},
		{"what is no port", func(s *sysfs) {
			s.files("class/tty/tty1", map[string]string{"dev": "4:1"}) // a virtual console
			s.files("class/tty/ptmx", map[string]string{"dev": "5:2"})
			s.tty("hvc0", "devices/virtio0", nil)                               // a hypervisor's console
			s.link(s.path("devices/gone"), s.path("class/tty/ttyUSB9"))         // just unplugged
			s.tty("ttyS4", "devices/platform/x", map[string]string{"type": ""}) // unreadable
		}, nil},
		{"no node yet", func(s *sysfs) {
			s.board()
			if err := os.Remove(filepath.Join(s.dev, "ttyACM1")); err != nil {
				t.Fatal(err)
			}
		}, []transport.Port{first}},
		{"goes away while being read", func(s *sysfs) {
			s.board()
			s.usbDevice("devices/usb1/1-5", map[string]string{"idVendor": "", "idProduct": ""})
			s.tty("ttyACM5", "devices/usb1/1-5", nil)
		}, []transport.Port{first, second}},
		{"interface number that is none", func(s *sysfs) {
			s.usbDevice("devices/usb1/1-3", map[string]string{"idVendor": "1a86", "idProduct": "7523"})
			s.files("devices/usb1/1-3/1-3:1.0", map[string]string{"bInterfaceNumber": "zz"})
			s.tty("ttyACM3", "devices/usb1/1-3/1-3:1.0", nil)
		},
			[]transport.Port{{Name: "/dev/ttyACM3", USB: true, VID: 0x1a86, PID: 0x7523, Location: "1-3",
				Interface: -1}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSysfs(t)
			test.make(s)
			if diff := cmp.Diff(test.want, s.list(), byName, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSysfsPortsWithoutTTYs(t *testing.T) {
	ports, err := transport.SysfsPorts(t.TempDir(), t.TempDir())
	if err != nil || len(ports) != 0 {
		t.Errorf("got %v, %v, want no port and no error", ports, err)
	}
}

// TestSysfsPortTextsAreCleaned has a device with control characters in all it says of itself.
func TestSysfsPortTextsAreCleaned(t *testing.T) {
	s := newSysfs(t)
	s.usbDevice("devices/usb1/1-1", map[string]string{
		"idVendor": "2fe3", "idProduct": "0004",
		"serial": "  12\x0034  ", "product": "\x1b]0;owned\x07USB\u009b2J",
		"manufacturer": strings.Repeat("ü", 200) + "\x1b",
	})
	s.files("devices/usb1/1-1/1-1:1.0", map[string]string{"bInterfaceNumber": "00", "interface": "a\nb\u202ec\xff"})
	s.tty("ttyACM0", "devices/usb1/1-1/1-1:1.0", nil)
	want := []transport.Port{{
		Name: "/dev/ttyACM0", USB: true, VID: 0x2fe3, PID: 4,
		Serial: "12?34", Product: "?]0;owned?USB?2J", Manufacturer: strings.Repeat("ü", 126),
		InterfaceName: "a?b?c\ufffd", Location: "1-1",
	}}
	if diff := cmp.Diff(want, s.list()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSysfsPortVanishes takes away one of three ports, each time at another moment of being read.
func TestSysfsPortVanishes(t *testing.T) {
	const device = "devices/usb1/1-9"
	first, second := boardPort, boardPort
	first.Name, first.Interface, first.InterfaceName = "/dev/ttyACM0", 0, "Console"
	second.Name, second.Interface = "/dev/ttyACM1", 10
	tests := []struct {
		name  string
		gone  string // below sys
		empty bool   // an attribute that is there and cannot be read
	}{
		{"the whole device", device, false},
		{"the tty", device + "/1-9:1.0/tty", false},
		{"the link to the device", device + "/1-9:1.0/tty/ttyACM9/device", false},
		{"the vendor id", device + "/idVendor", true},
		{"the product id", device + "/idProduct", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSysfs(t)
			s.board()
			s.usbDevice(device, map[string]string{"idVendor": "2fe3", "idProduct": "0100"})
			s.files(device+"/1-9:1.0", map[string]string{"bInterfaceNumber": "00"})
			s.tty("ttyACM9", device+"/1-9:1.0", nil)
			if ports := s.list(); len(ports) != 3 {
				t.Fatalf("%d ports before, want 3: %+v", len(ports), ports)
			}
			if err := os.RemoveAll(s.path(test.gone)); err != nil {
				t.Fatal(err)
			}
			if test.empty {
				s.dir(s.path(test.gone))
			}
			if diff := cmp.Diff([]transport.Port{first, second}, s.list(), byName); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
