package device

import (
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// tellSettings says for -l debug where the device is looked for, and who says so.
func (d *Device) tellSettings() {
	for _, s := range d.Settings.Origins {
		name := s.Name
		if name == "baud" {
			name = "baud rate"
		}
		switch {
		case s.Value == "":
			d.App.Log.Debug("nothing names the " + name + ": the only USB serial port is taken")
		case s.From == "default":
			d.App.Log.Debug(fmt.Sprintf("the %s is %s, as nothing names another", name, s.Value))
		default:
			d.App.Log.Debug(fmt.Sprintf("the %s is %s, from %s", name, s.Value, s.From))
		}
	}
}

// tellOpened says that a connection begins; the one before it has ended.
func (d *Device) tellOpened(link *transport.Conn, c *smp.Client) {
	d.tellClosed()
	d.line, d.client = link, c
	framing := "console framing"
	if d.Settings.Transport.Raw {
		framing = "raw framing"
	}
	d.App.Log.Info(fmt.Sprintf("connected to %s, %s", d.Name, framing))
}

// tellClosed says what the last connection carried.
func (d *Device) tellClosed() {
	if d.line == nil {
		return
	}
	s := d.line.Stats()
	d.App.Log.Debug(fmt.Sprintf("the connection spoke SMP version %s, in packets of at most %s", d.client.Version(),
		human.Size(d.client.PacketLimit())))
	d.App.Log.Debug(fmt.Sprintf("it sent %d packets (%s) and got %d (%s): %d damaged, "+
		"%d answers that nobody waited for, %s of text", s.SentPackets, human.Size(int(s.SentBytes)), s.Packets, human.Size(int(s.Bytes)), s.Damaged(),
		d.client.Unmatched(), human.Size(int(s.TextBytes))))
	d.line = nil
}
