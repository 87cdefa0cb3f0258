package transport

import (
	"strings"

	"go.bug.st/serial/enumerator"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// systemPorts asks the serial library, and Windows itself for what the library
// leaves out: the interface number and the place, without which two ports of one
// device look the same.
func systemPorts() ([]Port, error) {
	listed, err := enumerator.GetDetailedPortsList()
	if err != nil {
		return nil, err
	}
	more := functions()
	var ports []Port
	for _, d := range listed {
		port := Port{Name: d.Name, USB: d.IsUSB, Product: clean(d.Product), Interface: AnyInterface}
		if d.IsUSB {
			// What the library took for four digits may be none; the port is still one.
			_ = port.VID.UnmarshalText([]byte(d.VID))
			_ = port.PID.UnmarshalText([]byte(d.PID))
			port.Serial = clean(d.SerialNumber)
		}
		if f, ok := more[strings.ToUpper(d.Name)]; ok && d.IsUSB {
			port.Interface = interfaceOf(f.id)
			port.Location = placeOf(f.locationPath)
			port.Manufacturer = clean(f.manufacturer)
			if port.Serial == "" {
				port.Serial = clean(serialOf(f.id))
			}
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// function is what SetupAPI tells of a device in the class of ports.
type function struct{ id, locationPath, manufacturer string }

// functions returns the present ports by COM name. What cannot be read is left
// out: a device may go away at any moment.
func functions() map[string]function {
	found := map[string]function{}
	classes, err := windows.SetupDiClassGuidsFromNameEx("Ports", "")
	if err != nil {
		return found
	}
	for _, class := range classes {
		set, err := windows.SetupDiGetClassDevsEx(&class, "", 0, windows.DIGCF_PRESENT, 0, "")
		if err != nil {
			continue
		}
		// An index past the end is an error; so is one of a device that just left,
		// and then the rest comes with the next listing.
		for i := 0; ; i++ {
			device, err := set.EnumDeviceInfo(i)
			if err != nil {
				break
			}
			if name, f, ok := readFunction(set, device); ok {
				found[strings.ToUpper(name)] = f
			}
		}
		set.Close()
	}
	return found
}

func readFunction(set windows.DevInfo, device *windows.DevInfoData) (name string, f function, ok bool) {
	if name = comName(set, device); name == "" {
		return "", function{}, false
	}
	id, err := set.DeviceInstanceID(device)
	if err != nil {
		return "", function{}, false
	}
	return name, function{
		id:           id,
		locationPath: property(set, device, windows.SPDRP_LOCATION_PATHS),
		manufacturer: property(set, device, windows.SPDRP_MFG),
	}, true
}

// comName returns the name in the device's registry key.
func comName(set windows.DevInfo, device *windows.DevInfoData) string {
	key, err := set.OpenDevRegKey(device, windows.DICS_FLAG_GLOBAL, 0, windows.DIREG_DEV, windows.KEY_READ)
	if err != nil {
		return ""
	}
	values := registry.Key(key)
	defer values.Close()
	name, _, err := values.GetStringValue("PortName")
	if err != nil {
		return ""
	}
	return name
}

// property returns a text property, or the first one of a list.
func property(set windows.DevInfo, device *windows.DevInfoData, which windows.SPDRP) string {
	value, err := set.DeviceRegistryProperty(device, which)
	if err != nil {
		return ""
	}
	switch v := value.(type) {
	case string:
		return v
	case []string:
		if len(v) > 0 {
			return v[0]
		}
	}
	return ""
}
