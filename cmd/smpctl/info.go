package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func infoCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info",
		Short:   "Show everything the device says of itself, on one page",
		Example: "  smpctl -p sim: info",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = a.run(func(ctx context.Context, _ []string) (result, error) {
		return a.withDevice(ctx, func(d *device, c *smp.Client) (result, error) {
			r := infoResult{Port: d.name, Serial: d.port.Serial, Images: []imageEntry{}}
			if err := r.fill(ctx, c); err != nil {
				return nil, err
			}
			return r, nil
		})
	})
	return cmd
}

// infoResult is what a device says of itself; an empty or absent value is a command that it does not have.
type infoResult struct {
	Port        string            `json:"port"`
	Serial      string            `json:"serial,omitempty"`
	SMPVersion  string            `json:"smp_version"`
	Board       string            `json:"board,omitempty"`
	OS          string            `json:"os,omitempty"`
	Kernel      string            `json:"kernel,omitempty"`
	Version     string            `json:"kernel_version,omitempty"`
	Machine     string            `json:"machine,omitempty"`
	Processor   string            `json:"processor,omitempty"`
	Built       string            `json:"built,omitempty"`
	Clock       string            `json:"datetime,omitempty"`
	BufferSize  int               `json:"buf_size,omitempty"`
	BufferCount int               `json:"buf_count,omitempty"`
	Runs        string            `json:"runs"`
	Bootloader  *bootloaderResult `json:"bootloader,omitempty"`
	Images      []imageEntry      `json:"images"`
	Slots       []slotImage       `json:"slots,omitempty"`
}

// fill asks one thing after the other. A refusal leaves its line out; silence ends the command.
func (r *infoResult) fill(ctx context.Context, c *smp.Client) error {
	params, err := c.Negotiate(ctx)
	if err != nil {
		return fmt.Errorf("info: %w", err)
	}
	r.SMPVersion = c.Version().String()
	if params.Known {
		r.BufferSize, r.BufferCount = params.BufferSize, params.BufferCount
	}
	for _, item := range []struct {
		letter string
		value  *string
	}{{"i", &r.Board}, {"o", &r.OS}, {"s", &r.Kernel}, {"v", &r.Version}, {"m", &r.Machine}, {"p", &r.Processor}, {"b", &r.Built}} {
		text, err := c.OS.Info(ctx, item.letter)
		if smp.IsUnsupported(err) {
			break // the whole command is missing
		}
		if unanswered(err) != nil {
			return err
		}
		*item.value = text
	}
	if t, err := c.OS.Datetime(ctx); err == nil {
		r.Clock = t.Format(deviceTime)
	} else if unanswered(err) != nil {
		return err
	}
	return r.fillImages(ctx, c)
}

func (r *infoResult) fillImages(ctx context.Context, c *smp.Client) error {
	if b, err := c.OS.Bootloader(ctx); err == nil {
		result := newBootloaderResult(b)
		r.Bootloader = &result
	} else if unanswered(err) != nil {
		return err
	}
	r.Runs = runsApplication
	if l, err := c.Image.List(ctx); err == nil {
		r.Images = newImageList(l).Images
		firmware, err := c.Identify(ctx, l)
		if err != nil {
			return err
		}
		r.Runs = firmware.String()
	} else if unanswered(err) != nil {
		return err
	}
	slots, err := c.Image.Slots(ctx)
	if err == nil {
		r.Slots = newSlotList(slots).Images
	}
	return unanswered(err)
}

// unanswered drops the error of a device that did answer: no, or something that makes no sense.
func unanswered(err error) error {
	var refused *smp.DeviceError
	var nonsense *smp.ProtocolError
	if errors.As(err, &refused) || errors.As(err, &nonsense) {
		return nil
	}
	return err
}

func (r infoResult) Text(w io.Writer) error {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-11s %s\n", name, value)
		}
	}
	line("port", r.Port)
	line("serial", r.Serial)
	if r.Runs == runsBootloader {
		line("runs", recoveryName)
	}
	line("board", r.Board)
	line("system", join(r.OS, r.Version))
	line("processor", join(r.Machine, r.Processor))
	line("built", r.Built)
	line("clock", r.Clock)
	line("protocol", "SMP version "+r.SMPVersion)
	if r.BufferSize > 0 {
		line("buffers", fmt.Sprintf("%d of %d bytes", r.BufferCount, r.BufferSize))
	}
	if r.Bootloader != nil {
		line("bootloader", join(r.Bootloader.Bootloader, "("+r.Bootloader.ModeName+")"))
	}
	for _, m := range r.Slots {
		for _, s := range m.Slots {
			line("slot", fmt.Sprintf("image %d slot %d  %s", m.Image, s.Slot, size(int(min(s.Size, 1<<40)))))
		}
	}
	for _, e := range r.Images {
		line("image", fmt.Sprintf("image %d slot %d  %s (%s)  %s", e.Image, e.Slot, e.Version, e.Hash.Short(), e.flags()))
	}
	return nil
}

func join(a, b string) string {
	if a != "" && b != "" {
		a += " "
	}
	return a + b
}
