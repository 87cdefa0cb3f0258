package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/measure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
)

// defaultBench is how long the bench measures.
const defaultBench = app.Seconds(10 * time.Second)

func benchCommand(a *app.App) *cobra.Command {
	limit := defaultBench
	cmd := &cobra.Command{
		Use:        "bench",
		SuggestFor: []string{"speed", "speedtest", "benchmark"},
		Short:      "Measure what the link carries, and what would make it faster",
		Long: `Measure what the link carries, what limits it, and what would make it faster. Nothing on the device
changes.

Text of several sizes is sent and comes back, one request at a time and then as many as the device
has buffers for. Then requests with short answers, as in an upload, show what rate an upload reaches
if the flash keeps up. Lost requests are a result, not an error.`,
		Example: "  smpctl -p sim: bench",
		Args:    app.Takes(0, 0),
	}
	cmd.Flags().Var(&limit, "seconds", "measure no longer than this")
	cmd.RunE = a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
		return bench(ctx, a, time.Duration(limit))
	})
	return cmd
}

// benchResult is what the bench found out.
type benchResult struct {
	Port        string        `json:"port"`
	SMPVersion  string        `json:"smp_version"`
	Runs        string        `json:"runs"`
	BufferSize  int           `json:"buf_size,omitempty"`
	BufferCount int           `json:"buf_count,omitempty"`
	PacketLimit int           `json:"packet_limit_bytes"`           // longest packet that can be sent
	Baud        int           `json:"baud,omitempty"`               // absent where it means nothing
	NoEcho      string        `json:"no_echo,omitempty"`            // why the device does not echo
	RoundTrip   float64       `json:"round_trip_seconds,omitempty"` // of the smallest packet
	Rows        []measure.Row `json:"measurements"`                 // what was sent, and what came of it
	measure.Verdict
	Seconds float64 `json:"seconds"`
}

func bench(ctx context.Context, a *app.App, limit time.Duration) (app.Result, error) {
	d, err := device.New(a)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	// A request that is sent once only waits as long as all its tries would.
	o := &d.Settings.SMP
	o.Timeout, o.Tries = cmp.Or(o.Timeout, smp.DefaultTimeout)*time.Duration(cmp.Or(o.Tries, smp.DefaultTries)), 1
	c, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	params, err := c.Negotiate(ctx)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	l := benchLink(d, c, params)
	runs, err := whatRuns(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	l.Bootloader = runs == view.RunsBootloader
	r, err := measureLink(ctx, a, c, l, limit)
	r.Runs = runs
	r.Port = d.Name
	if len(r.Rows) == 0 && err != nil {
		return nil, err
	}
	return r, err
}

// benchLink is what is known of the link. The baud rate means nothing over TCP, and over USB nobody knows whether there
// is a wire.
func benchLink(d *device.Device, c *smp.Client, params smp.Params) measure.Link {
	t := d.Settings.Transport
	l := measure.Link{Params: params, Limit: c.PacketLimit(), Depth: measure.Depth(params, d.Settings.SMP.Window),
		LineLength: t.LineLength, Raw: t.Raw}
	if d.Settings.Address.Kind != transport.KindTCP && !d.Port.USB {
		l.Baud = t.Baud
	}
	return l
}

// measureLink has the link measured. After an error the result holds what was measured before.
func measureLink(ctx context.Context, a *app.App, c *smp.Client, l measure.Link, limit time.Duration) (
	benchResult, error) {
	measuring := a.Doing("", "measuring for at most %s", human.Span(limit)).Now()
	m, err := measure.Run(ctx, c, l, limit)
	measuring.Stop()
	r := benchResult{
		SMPVersion: c.Version().String(), PacketLimit: l.Limit, Baud: l.Baud, NoEcho: m.NoEcho,
		RoundTrip: m.RoundTrip(), Rows: m.Rows, Verdict: m.Verdict, Seconds: m.Elapsed.Seconds(),
	}
	if l.Params.Known {
		r.BufferSize, r.BufferCount = l.Params.BufferSize, l.Params.BufferCount
	}
	if m.NoWire {
		a.Warn("answers come sooner than a wire of %d baud allows, so nothing is said of the wire", l.Baud)
		r.Baud = 0
	}
	return r, err
}

// whatRuns tells the application from the bootloader, which has other options.
func whatRuns(ctx context.Context, c *smp.Client) (string, error) {
	firmware, _, err := c.Who(ctx)
	return firmware.String(), failure.Unanswered(err)
}

// Text prints a table and what it means.
func (r benchResult) Text(w io.Writer) error {
	fmt.Fprintf(w, "device     %s, %sSMP version %s, %s\n", r.Port, r.who(), r.SMPVersion, r.buffers())
	if r.Baud > 0 {
		fmt.Fprintf(w, "wire       %d baud: %.1f kB/s\n", r.Baud, float64(r.Baud)/transport.BitsPerByte/1e3)
	}
	if r.NoEcho != "" {
		fmt.Fprintf(w, "no echo    %s; measured with requests for the parameters\n", r.NoEcho)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "request\tpacket\tlines\tin flight\tround trip\trate\tof the wire\tlost\t")
	for _, m := range r.Rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%d of %d\t\n",
			m.Request, m.Packet, m.Lines, m.Depth, trip(m), speed(m), share(m.WireShare), m.Lost, m.Sent)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if u := r.Upload; u != nil {
		fmt.Fprintf(w, "upload     %.1f kB/s expected if the flash keeps up: %d bytes of the image in each packet, "+
			"%d in flight", float64(u.Rate)/1e3, u.Chunk, u.Depth)
		if u.WireShare != nil {
			fmt.Fprintf(w, ", %s of the wire", share(u.WireShare))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "limit      %s\n", r.Reason)
	for _, v := range r.Advice {
		fmt.Fprintf(w, "faster     %s=%s: about %.1f kB/s, %.1f times as fast: %s\n",
			v.Option, v.Value, float64(v.Rate)/1e3, v.Factor, v.Text)
	}
	if len(r.Advice) > 0 || r.Upload == nil {
		return nil
	}
	_, err := fmt.Fprintln(w, "faster     no option of the firmware that would make much of a difference")
	return err
}

func (r benchResult) who() string {
	if r.Runs == view.RunsUnknown {
		return ""
	}
	return r.Runs + ", "
}

func (r benchResult) buffers() string {
	if r.BufferSize == 0 {
		return fmt.Sprintf("does not tell its buffers; packets of %d bytes", r.PacketLimit)
	}
	return fmt.Sprintf("%s of %d bytes", human.Count(r.BufferCount, "packet buffer"), r.BufferSize)
}

func trip(r measure.Row) string {
	if r.RoundTrip == 0 {
		return "-"
	}
	return human.Span(time.Duration(r.RoundTrip * float64(time.Second)))
}

func speed(r measure.Row) string {
	if r.RoundTrip == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f kB/s", float64(r.Rate)/1e3)
}

func share(s *float64) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100**s)
}
