package group

import (
	"context"
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func infoCommand(a *app.App) *cobra.Command {
	var several boards.Flags
	cmd := &cobra.Command{
		Use:        "info",
		SuggestFor: []string{"status", "about"},
		Short:      "Show everything the device says of itself, on one page",
		Example:    "  smpctl -p sim: info\n  smpctl -p usb:2fe3:0004 info --all",
		Args:       app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) {
			return boards.Run(ctx, a, several, boards.Work{Name: "info", Whole: true, Do: info})
		}),
	}
	several.Register(cmd.Flags())
	return cmd
}

// info asks the device that the flags of a mean for all that it says of itself.
func info(ctx context.Context, a *app.App, _ *boards.Turn) (app.Result, error) {
	return device.WithDevice(ctx, a, func(d *device.Device, c *smp.Client) (app.Result, error) {
		key, err := device.DefaultKey(a)
		if err != nil {
			return nil, err
		}
		r := infoResult{key: key, Settings: d.Settings.Origins, Port: d.Name, Serial: d.Port.Serial}
		if err := r.fill(ctx, c); err != nil {
			return nil, err
		}
		return r, nil
	})
}

// infoResult is what a device says of itself. What is absent it does not say.
type infoResult struct {
	Port        string            `json:"port"`
	Settings    []device.Setting  `json:"settings"` // how the device is reached, and where that came from
	Serial      string            `json:"serial,omitempty"`
	SMPVersion  string            `json:"smp_version"`
	Board       string            `json:"board,omitempty"`          // name of the board and its variant
	OS          string            `json:"os,omitempty"`             // name of the operating system
	Kernel      string            `json:"kernel,omitempty"`         // name of the kernel
	Version     string            `json:"kernel_version,omitempty"` // in the device's words
	Release     string            `json:"kernel_release,omitempty"` // in the device's words
	Machine     string            `json:"machine,omitempty"`        // architecture
	Processor   string            `json:"processor,omitempty"`      // architecture of the processor
	Built       string            `json:"built,omitempty"`          // date of the build, in the device's words
	Clock       string            `json:"datetime,omitempty"`       // the device's clock; it has no time zone
	BufferSize  int               `json:"buf_size,omitempty"`
	BufferCount int               `json:"buf_count,omitempty"`
	Runs        string            `json:"runs"`
	Application *appVersion       `json:"application,omitempty"` // the running image
	Bootloader  *bootloaderResult `json:"bootloader,omitempty"`  // what the application says of it
	Images      []view.ImageEntry `json:"images,omitzero"`       // as image list shows them
	Slots       []view.SlotImage  `json:"slots,omitempty"`       // as image slots shows them
	Groups      []groupEntry      `json:"groups,omitempty"`      // as enum shows them
	Tasks       []taskEntry       `json:"tasks,omitempty"`       // as taskstat shows them
	Pools       []poolEntry       `json:"pools,omitempty"`       // as mpstat shows them

	listed bool   // the device has an image list
	key    string // file with the public key that updates are checked with; empty if there is none
}

// appVersion is the image that runs.
type appVersion struct {
	Version string   `json:"version"`
	Hash    smp.Hash `json:"hash,omitempty"`
}

// fill asks one thing after the other. A refusal leaves its line out; silence ends the command.
func (r *infoResult) fill(ctx context.Context, c *smp.Client) error {
	if _, err := c.Negotiate(ctx); err != nil {
		return fmt.Errorf("info: %w", err)
	}
	r.SMPVersion, r.Runs = c.Version().String(), view.RunsApplication
	for _, ask := range []func(context.Context, *smp.Client) error{
		r.askBuffers, r.askSystem, r.askClock, r.askBootloader, r.askImages, r.askSlots, r.askGroups, r.askTasks,
		r.askPools,
	} {
		if err := failure.Unanswered(ask(ctx, c)); err != nil {
			return err
		}
	}
	return nil
}

// askBuffers asks again what the client has learned, which is no more than the link carries.
func (r *infoResult) askBuffers(ctx context.Context, c *smp.Client) error {
	p, err := c.OS.Params(ctx)
	r.BufferSize, r.BufferCount = p.BufferSize, p.BufferCount
	return err
}

// askSystem asks for one item at a time, because items may contain spaces.
func (r *infoResult) askSystem(ctx context.Context, c *smp.Client) error {
	for _, item := range []struct {
		letter string
		value  *string
	}{
		{"i", &r.Board}, {"o", &r.OS}, {"s", &r.Kernel}, {"v", &r.Version}, {"r", &r.Release}, {"m", &r.Machine},
		{"p", &r.Processor}, {"b", &r.Built},
	} {
		text, err := c.OS.Info(ctx, item.letter)
		if smp.IsUnsupported(err) || failure.Unanswered(err) != nil {
			return err
		}
		*item.value = text
	}
	return nil
}

func (r *infoResult) askClock(ctx context.Context, c *smp.Client) error {
	t, err := c.OS.Datetime(ctx)
	if err == nil {
		r.Clock = t.Format(deviceTime)
	}
	return err
}

func (r *infoResult) askBootloader(ctx context.Context, c *smp.Client) error {
	b, err := c.OS.Bootloader(ctx)
	if err == nil {
		b := newBootloaderResult(b)
		r.Bootloader = &b
	}
	return err
}

func (r *infoResult) askImages(ctx context.Context, c *smp.Client) error {
	firmware, l, err := c.Who(ctx)
	if l.Images != nil {
		r.Images, r.listed = view.NewImageList(l).Images, true
	}
	if err != nil {
		return err
	}
	r.Runs = firmware.String()
	if s, ok := l.Active(0); ok && firmware == smp.Application {
		r.Application = &appVersion{view.VersionText(s.Version), s.Hash}
	}
	return nil
}

func (r *infoResult) askSlots(ctx context.Context, c *smp.Client) error {
	slots, err := c.Image.Slots(ctx)
	if err == nil {
		r.Slots = view.NewSlotList(slots).Images
	}
	return err
}

func (r *infoResult) askGroups(ctx context.Context, c *smp.Client) error {
	groups, err := listGroups(ctx, c)
	if err == nil {
		r.Groups = newEnumResult(groups).Groups
	}
	return err
}

func (r *infoResult) askTasks(ctx context.Context, c *smp.Client) error {
	tasks, err := c.OS.TaskStats(ctx)
	if err == nil {
		r.Tasks = newTaskResult(tasks).Tasks
	}
	return err
}

func (r *infoResult) askPools(ctx context.Context, c *smp.Client) error {
	pools, err := c.OS.MemoryPools(ctx)
	if err == nil {
		r.Pools = newPoolResult(pools).Pools
	}
	return err
}
