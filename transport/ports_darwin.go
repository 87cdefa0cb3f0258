package transport

// systemPorts lists the serial services of the I/O Registry.
func systemPorts() ([]Port, error) {
	kit, err := loadIOKit()
	if err != nil {
		return nil, err
	}
	services, err := kit.services("IOSerialBSDClient")
	if err != nil {
		return nil, err
	}
	return registryPorts(kit, services), nil
}
