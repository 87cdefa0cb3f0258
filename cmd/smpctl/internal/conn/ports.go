package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

func portsCommand(a *app.App) *cobra.Command {
	var probe bool
	cmd := &cobra.Command{
		Use:        "ports",
		SuggestFor: []string{"scan", "devices", "list", "ls", "boards", "port"},
		Short:      "List the serial ports, and what answers on them",
		Long: `List the serial ports. Nothing is opened for that.

With --probe every port is opened at --baud and asked, all at once and for a few seconds at most,
whether it speaks SMP and what runs there. A device that does not speak SMP gets a line or two of
text that it does not understand.`,
		Example: "  smpctl ports\n  smpctl ports --probe --json",
		Args:    app.Takes(0, 0),
		RunE:    a.Run(func(ctx context.Context, _ []string) (app.Result, error) { return ports(ctx, a, probe) }),
	}
	cmd.Flags().BoolVar(&probe, "probe", false, "open each port and ask what runs there")
	return cmd
}

// portList is the result of ports.
type portList struct {
	Ports  []portEntry `json:"ports"` // each serial port of this machine
	probed bool
}

// portEntry is a serial port.
type portEntry struct {
	Port          string          `json:"port"`         // what -p takes
	USB           bool            `json:"usb"`          // it belongs to a USB device
	VID           transport.USBID `json:"vid,omitzero"` // USB vendor, four hexadecimal digits
	PID           transport.USBID `json:"pid,omitzero"` // product of this vendor, four hexadecimal digits
	Serial        string          `json:"serial,omitempty"`
	Product       string          `json:"product,omitempty"`        // in words, as the device says
	Manufacturer  string          `json:"manufacturer,omitempty"`   // in words, as the device says
	Interface     *int            `json:"interface,omitempty"`      // number of the USB interface
	InterfaceName string          `json:"interface_name,omitempty"` // in words, as the device says
	Location      string          `json:"location,omitempty"`       // where it is plugged in, such as 1-1.2: usb:location=
	Probe         *probeResult    `json:"probe,omitempty"`          // what answers, with --probe
}

func newPortEntry(p transport.Port) portEntry {
	e := portEntry{
		Port: p.Name, USB: p.USB, VID: p.VID, PID: p.PID, Serial: p.Serial, Product: p.Product,
		Manufacturer: p.Manufacturer, InterfaceName: p.InterfaceName, Location: p.Location,
	}
	if p.Interface != transport.AnyInterface {
		e.Interface = &p.Interface
	}
	return e
}

func ports(ctx context.Context, a *app.App, probe bool) (app.Result, error) {
	ports, err := device.BusOf(a).Ports()
	if err != nil {
		return nil, err
	}
	l := portList{Ports: make([]portEntry, len(ports)), probed: probe}
	var all sync.WaitGroup
	for i, p := range ports {
		l.Ports[i] = newPortEntry(p)
		if probe {
			all.Go(a.Guarded(func() { l.Ports[i].Probe = probePort(ctx, a, dialer(a, device.ByName(p.Name))) }))
		}
	}
	if probe {
		defer a.Wait("%s to answer", human.Count(len(ports), "port")).Stop()
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func (l portList) Text(w io.Writer) error {
	if len(l.Ports) == 0 {
		_, err := fmt.Fprintln(w, "no serial ports")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := []string{"PORT", "USB ID", "SERIAL", "PRODUCT", "LOCATION", "IF"}
	if l.probed {
		head = append(head, "SMP")
	}
	fmt.Fprintln(table, strings.Join(head, "\t"))
	for _, p := range l.Ports {
		fmt.Fprintln(table, strings.Join(p.cells(), "\t"))
	}
	return table.Flush()
}

func (p portEntry) cells() []string {
	cells := []string{p.Port, "-", "-", "-", "-", "-"}
	if p.USB {
		cells[1] = p.VID.String() + ":" + p.PID.String()
	}
	for i, text := range map[int]string{2: p.Serial, 3: p.Product, 4: p.Location} {
		if text != "" {
			cells[i] = text
		}
	}
	if p.Interface != nil {
		cells[5] = fmt.Sprint(*p.Interface)
	}
	if p.Probe != nil {
		cells = append(cells, p.Probe.String())
	}
	return cells
}

// inBrief is why a port does not answer, in a word or two where these are enough.
func inBrief(err error) string {
	var open *transport.OpenError
	switch errors.As(err, &open); {
	case errors.Is(err, transport.ErrBusy) && open != nil:
		return "busy: " + cmp.Or(failure.HolderOf(open), "another program has it open")
	case errors.Is(err, fs.ErrPermission):
		return "no permission to open it"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, transport.ErrDisconnected):
		return "gone"
	case open != nil:
		return failure.Text(open.Err)
	}
	return failure.Text(err)
}
