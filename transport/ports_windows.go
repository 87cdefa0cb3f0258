package transport

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
	winregistry "golang.org/x/sys/windows/registry"
)

// systemPorts asks SetupAPI for the devices of class Ports, and what they are on. It opens no port.
func systemPorts() ([]Port, error) {
	set, err := windows.SetupDiGetClassDevsEx(&classOfPorts, "", 0, windows.DIGCF_PRESENT, 0, "")
	if err != nil {
		return nil, fmt.Errorf("SetupDiGetClassDevs: %w", err)
	}
	defer set.Close()
	var ports []Port
	// An index past the end is an error; so is one of a device that just left,
	// and then the rest comes with the next listing.
	for i := 0; ; i++ {
		device, err := set.EnumDeviceInfo(i)
		if err != nil {
			return ports, nil
		}
		name := comName(set, device)
		if name == "" {
			continue // an LPT port without a name, or going away
		}
		if port, ok := portOf(name, devTree(set, device)); ok {
			ports = append(ports, port)
		}
	}
}

// classOfPorts is GUID_DEVCLASS_PORTS (devguid.h).
var classOfPorts = windows.GUID{
	Data1: 0x4d36e978, Data2: 0xe325, Data3: 0x11ce, Data4: [8]byte{0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18},
}

// Keys of device properties (devpkey.h), which Windows has since Vista.
var (
	reportedKey = windows.DEVPROPKEY{PID: 4, FmtID: windows.DEVPROPGUID{ // DEVPKEY_Device_BusReportedDeviceDesc
		Data1: 0x540b947e, Data2: 0x8b40, Data3: 0x45bc, Data4: [8]byte{0xa8, 0xa2, 0x6a, 0x0b, 0x89, 0x4c, 0xbd, 0xa2},
	}}
	parentKey = windows.DEVPROPKEY{PID: 8, FmtID: windows.DEVPROPGUID{ // DEVPKEY_Device_Parent
		Data1: 0x4340a6c5, Data2: 0x93fa, Data3: 0x4706, Data4: [8]byte{0x97, 0x2c, 0x7b, 0x64, 0x80, 0x08, 0xa5, 0xa7},
	}}
)

// comName returns the name in the device's registry key.
func comName(set windows.DevInfo, device *windows.DevInfoData) string {
	key, err := set.OpenDevRegKey(device, windows.DICS_FLAG_GLOBAL, 0, windows.DIREG_DEV, windows.KEY_READ)
	if err != nil {
		return ""
	}
	values := winregistry.Key(key)
	defer values.Close()
	name, _, err := values.GetStringValue("PortName")
	if err != nil {
		return ""
	}
	return name
}

// deepestDevNode is how far up a port's USB device is looked for: a port of a chip with a bus of its own is three
// devices below it.
const deepestDevNode = 4

// devTree reads a device and those that it is on. What cannot be read is left out: a device may go away at any moment.
func devTree(set windows.DevInfo, device *windows.DevInfoData) []devNode {
	node, parent := readDevNode(set, device)
	tree := []devNode{node}
	above, err := windows.SetupDiCreateDeviceInfoListEx(nil, 0, "")
	if err != nil {
		return tree
	}
	defer above.Close()
	for parent != "" && len(tree) < deepestDevNode {
		device, ok := openDevice(above, parent)
		if !ok {
			break
		}
		node, parent = readDevNode(above, device)
		tree = append(tree, node)
	}
	return tree
}

// readDevNode returns what is known of a device, and the instance id of what it is on.
func readDevNode(set windows.DevInfo, device *windows.DevInfoData) (node devNode, parent string) {
	node.id, _ = set.DeviceInstanceID(device)
	node.hardwareIDs = texts(set, device, windows.SPDRP_HARDWAREID)
	node.locationPaths = texts(set, device, windows.SPDRP_LOCATION_PATHS)
	node.friendly = text(set, device, windows.SPDRP_FRIENDLYNAME)
	node.manufacturer = text(set, device, windows.SPDRP_MFG)
	node.reported = property(set, device, &reportedKey)
	return node, property(set, device, &parentKey)
}

var procOpenDeviceInfo = windows.NewLazySystemDLL("setupapi.dll").NewProc("SetupDiOpenDeviceInfoW")

// openDevice adds a device to a set by its instance id.
func openDevice(set windows.DevInfo, id string) (*windows.DevInfoData, bool) {
	name, err := windows.UTF16PtrFromString(id)
	if err != nil || procOpenDeviceInfo.Find() != nil {
		return nil, false
	}
	device := &windows.DevInfoData{}
	// DevInfoData knows its size, which SetupAPI wants in the first field.
	*(*uint32)(unsafe.Pointer(device)) = uint32(unsafe.Sizeof(*device))
	done, _, _ := procOpenDeviceInfo.Call(uintptr(set), uintptr(unsafe.Pointer(name)), 0, 0,
		uintptr(unsafe.Pointer(device)))
	return device, done != 0
}

func property(set windows.DevInfo, device *windows.DevInfoData, key *windows.DEVPROPKEY) string {
	value, err := windows.SetupDiGetDeviceProperty(set, device, key)
	if err != nil {
		return ""
	}
	s, _ := value.(string)
	return s
}

func text(set windows.DevInfo, device *windows.DevInfoData, which windows.SPDRP) string {
	if all := texts(set, device, which); len(all) > 0 {
		return all[0]
	}
	return ""
}

// texts returns a property that is one text or a list of them.
func texts(set windows.DevInfo, device *windows.DevInfoData, which windows.SPDRP) []string {
	value, err := set.DeviceRegistryProperty(device, which)
	if err != nil {
		return nil
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	}
	return nil
}
