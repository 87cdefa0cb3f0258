package device

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// connSettings are what a mcumgr-cli connection string says. A zero value means that it says nothing.
type connSettings struct {
	Dev  string // an address as parseAddress takes it
	Baud int    // bits per second
	MTU  int    // bytes of the largest packet
}

// The connection types of mcumgr-cli that lead to devices of this program.
const (
	ConnSerial = "serial"
	ConnUDP    = "udp"
)

// merge returns c with everything replaced that over says.
func (c connSettings) merge(over connSettings) connSettings {
	if over.Dev != "" {
		c.Dev = over.Dev
	}
	c.Baud = cmp.Or(over.Baud, c.Baud)
	c.MTU = cmp.Or(over.MTU, c.MTU)
	return c
}

// parseConnString reads a connection string as mcumgr-cli does: "dev=COM22,baud=115200,mtu=512", where a bare word is
// the device. The last word on a key counts. Every error is wrong usage.
func parseConnString(connType, s string) (connSettings, error) {
	connType = Unquote(connType)
	if err := checkConnType(connType); err != nil {
		return connSettings{}, err
	}
	var c connSettings
	for _, part := range splitConnString(Unquote(s)) {
		if err := c.set(connType, part); err != nil {
			return connSettings{}, err
		}
	}
	if connType == ConnUDP && c.Dev != "" && !strings.HasPrefix(c.Dev, "udp:") {
		c.Dev = "udp:" + c.Dev
	}
	return c, nil
}

// checkConnType knows the types of mcumgr-cli that do not work here, to say more of them than that they are unknown.
func checkConnType(connType string) error {
	switch connType {
	case ConnSerial, ConnUDP:
		return nil
	case "oic_serial", "oic_udp":
		return failure.Usage("connection type %q: SMP over CoAP, which Zephyr does not speak; want %s",
			connType, strings.TrimPrefix(connType, "oic_"))
	case "ble", "bhd", "oic_ble", "oic_bhd":
		return failure.Usage("connection type %q: Bluetooth is not supported; want serial or udp", connType)
	case "oic_mtech":
		return failure.Usage("connection type %q: LoRa is not supported; want serial or udp", connType)
	}
	return failure.Usage("connection type %q: want serial or udp", connType)
}

// splitConnString cuts at commas, but not at those inside a usb: address.
func splitConnString(s string) []string {
	var parts []string
	usb := false
	for _, piece := range strings.Split(s, ",") {
		piece = strings.TrimSpace(piece)
		key, _, _ := strings.Cut(piece, "=")
		if usb && (key == "serial" || key == "location" || key == "if") {
			parts[len(parts)-1] += "," + piece
			continue
		}
		if piece != "" {
			usb = strings.HasPrefix(strings.TrimPrefix(piece, "dev="), "usb:")
			parts = append(parts, piece)
		}
	}
	return parts
}

func (c *connSettings) set(connType, part string) error {
	key, value, found := strings.Cut(part, "=")
	if !found || strings.HasPrefix(part, "usb:") {
		key, value = "dev", part
	}
	value = Unquote(value)
	switch {
	case value == "":
		return failure.Usage("connstring: %s has no value", key)
	case key == "dev":
		c.Dev = value
	case key == "baud" && connType == ConnUDP:
		return failure.Usage("connstring: baud has no meaning over UDP")
	case key == "baud":
		return setNumber(&c.Baud, key, value, 1, app.MaxBaud)
	case key == "mtu":
		return setNumber(&c.MTU, key, value, app.MinBuffer, app.MaxBuffer)
	default:
		return failure.Usage("connstring: unknown key %q: want dev, baud or mtu", key)
	}
	return nil
}

func setNumber(n *int, key, value string, least, most int) error {
	v, err := strconv.Atoi(value)
	if err != nil || v < least || v > most {
		return failure.Usage("connstring: %s=%s: want %d to %d", key, value, least, most)
	}
	*n = v
	return nil
}

// Unquote takes off the quotes that some shells and scripts leave around a value.
func Unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
