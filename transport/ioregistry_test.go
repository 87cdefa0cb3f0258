package transport

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// registryTree is a registry as ioreg prints it: ioreg -l -w0 -p IOService -r -c IOSerialBSDClient -t. It counts what is
// held.
type registryTree struct {
	t       *testing.T
	entries []registryEntry // a handle is an index and 1
	held    map[ioObject]int
}

type registryEntry struct {
	classes []string // derived ones first, as ioreg -i prints them
	above   ioObject
	texts   map[string]string
	numbers map[string]int64
}

var (
	registryLine = regexp.MustCompile(`^([ |]*)\+-o .*<class ([\w:]+)`)
	propertyLine = regexp.MustCompile(`^[ |]*"([^"]+)" = (?:"(.*)"|(\d+)|0x([0-9a-f]+))$`)
)

func readRegistry(t *testing.T, name string) *registryTree {
	b, err := os.ReadFile(filepath.Join("testdata", "ioreg", name))
	if err != nil {
		t.Fatal(err)
	}
	r := &registryTree{t: t, held: map[ioObject]int{}}
	depths := []int{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		last := len(r.entries) - 1
		if m := registryLine.FindStringSubmatch(line); m != nil {
			e := registryEntry{classes: strings.Split(m[2], ":"), texts: map[string]string{}, numbers: map[string]int64{}}
			for i := last; i >= 0 && e.above == 0; i-- {
				if depths[i] < len(m[1]) {
					e.above = ioObject(i + 1)
				}
			}
			r.entries, depths = append(r.entries, e), append(depths, len(m[1]))
		} else if m := propertyLine.FindStringSubmatch(line); m != nil {
			digits, base := m[3], 10
			if m[4] != "" {
				digits, base = m[4], 16
			}
			if n, err := strconv.ParseInt(digits, base, 64); err == nil {
				r.entries[last].numbers[m[1]] = n
			} else {
				r.entries[last].texts[m[1]] = m[2]
			}
		}
	}
	return r
}

// services are the serial services, held.
func (r *registryTree) services() (found []ioObject) {
	for i, e := range r.entries {
		if e.classes[len(e.classes)-1] == "IOSerialBSDClient" {
			found = append(found, ioObject(i+1))
			r.held[ioObject(i+1)]++
		}
	}
	return found
}

// at gives an entry, which must be held.
func (r *registryTree) at(entry ioObject) registryEntry {
	if r.held[entry] < 1 {
		r.t.Fatalf("entry %d is used and not held", entry)
	}
	return r.entries[entry-1]
}

func (r *registryTree) isA(entry ioObject, class string) bool {
	for _, c := range r.at(entry).classes {
		if c == class {
			return true
		}
	}
	return false
}

func (r *registryTree) text(entry ioObject, key string) string { return r.at(entry).texts[key] }

func (r *registryTree) number(entry ioObject, key string) (int64, bool) {
	n, ok := r.at(entry).numbers[key]
	return n, ok
}

func (r *registryTree) parent(entry ioObject) (ioObject, bool) {
	above := r.at(entry).above
	if above != 0 {
		r.held[above]++
	}
	return above, above != 0
}

func (r *registryTree) release(entry ioObject) {
	r.at(entry)
	r.held[entry]--
}

// free fails the test if anything is still held.
func (r *registryTree) free() {
	r.t.Helper()
	for entry, n := range r.held {
		if n != 0 {
			r.t.Errorf("entry %d is held %d times at the end", entry, n)
		}
	}
}

func TestRegistryPorts(t *testing.T) {
	usb := func(name string, vid, pid USBID, iface int) Port {
		return Port{Name: name, USB: true, VID: vid, PID: pid, Interface: iface}
	}
	zephyr := usb("/dev/cu.usbmodem14101", 0x2fe3, 0x0004, 0)
	zephyr.Serial, zephyr.Product, zephyr.Manufacturer = "E6633861A34B", "CDC ACM serial backend", "Zephyr Project"
	zephyr.Location = "20-1"
	second := zephyr
	second.Name, second.Interface, second.InterfaceName = "/dev/cu.usbmodem14103", 2, "SMP"
	ftdi := usb("/dev/cu.usbserial-A10K4XYZ", 0x0403, 0x6001, 0)
	ftdi.Serial, ftdi.Product, ftdi.Manufacturer, ftdi.Location = "A10K4XYZ", "FT232R USB UART", "FTDI", "1-1.2"
	ftdi.InterfaceName = "FT232R USB UART"
	vendors := ftdi
	vendors.Name = "/dev/cu.usbserial-A10K4XYZ0"
	cp210x := usb("/dev/cu.SLAB_USBtoUART", 0x10c4, 0xea60, AnyInterface)
	cp210x.Serial, cp210x.Product, cp210x.Manufacturer = "0001", "CP2102 USB to UART Bridge Controller", "Silicon Labs"
	cp210x.Location = "20-2.4"
	for _, tt := range []struct {
		file string
		want []Port
	}{
		{"zephyr-two-interfaces.txt", []Port{zephyr, second}},
		{"ftdi-apple.txt", []Port{ftdi}},
		{"ftdi-vendor.txt", []Port{vendors}},
		{"cp210x.txt", []Port{cp210x}},
		{"bluetooth.txt", []Port{{Name: "/dev/cu.Bluetooth-Incoming-Port", Interface: AnyInterface}}},
		{"hub.txt", []Port{{Name: "/dev/cu.usbmodem83201", USB: true, VID: 0x303a, PID: 0x1001, Interface: 0,
			Product: "USB JTAG/serial debug unit", Location: "8-3.2"}}},
		{"going-away.txt", nil},
		{"driverkit.txt", []Port{{Name: "/dev/cu.usbserial-1420", USB: true, VID: 0x1a86, PID: 0x7523, Interface: 0,
			Product: "USB Serial", Location: "0-1.4.2"}}},
		{"hostile.txt", []Port{{Name: "/dev/cu.usbmodem1", USB: true, VID: 0xffff, PID: 0x0004, Interface: 255,
			Product: "evil?[2J"}}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r := readRegistry(t, tt.file)
			if diff := cmp.Diff(tt.want, registryPorts(r, r.services())); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
			r.free()
		})
	}
}

// TestRegistryEnds climbs trees that have no end.
func TestRegistryEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		bend func(r *registryTree)
	}{
		{"a circle", func(r *registryTree) { r.entries[0].above = ioObject(len(r.entries)) }},
		{"its own parent", func(r *registryTree) { r.entries[len(r.entries)-1].above = ioObject(len(r.entries)) }},
		{"a thousand parents", func(r *registryTree) {
			for range 1000 {
				r.entries = append(r.entries, registryEntry{classes: []string{"IOService"}, above: ioObject(len(r.entries))})
			}
			r.entries[0].above = ioObject(len(r.entries))
			r.entries[len(r.entries)-1000].above = 0
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := readRegistry(t, "bluetooth.txt")
			services := r.services()
			tt.bend(r)
			want := []Port{{Name: "/dev/cu.Bluetooth-Incoming-Port", Interface: AnyInterface}}
			if diff := cmp.Diff(want, registryPorts(r, services)); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
			r.free()
		})
	}
}

func TestLocationText(t *testing.T) {
	for id, want := range map[uint32]string{
		0x14120000: "20-1.2", 0x00142000: "0-1.4.2", 0x01100000: "1-1", 0x14123456: "20-1.2.3.4.5.6", 0xff1f0000: "255-1.15",
		0x14000000: "", 0x14012000: "", 0: "",
	} {
		if got := locationText(id); got != want {
			t.Errorf("locationText(%#x) = %q, want %q", id, got, want)
		}
	}
}
