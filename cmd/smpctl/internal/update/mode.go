package update

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp/dfu"
)

// modes are what an upgrade can do, the usual first.
var modes = []dfu.Mode{dfu.ConfirmAfter, dfu.Test, dfu.Permanent, dfu.UploadOnly}

// parseMode reads the name of a mode.
func parseMode(name string) (dfu.Mode, error) {
	for _, m := range modes {
		if m.String() == name {
			return m, nil
		}
	}
	return 0, failure.Usage("mode %q: want %s", name, human.Or(modeNames()))
}

func modeNames() []string {
	var names []string
	for _, m := range modes {
		names = append(names, m.String())
	}
	return names
}

// modeOf is the mode that a flag names, or else smpctl.toml.
func modeOf(a *app.App, flag string) (dfu.Mode, error) {
	if flag != "" {
		return parseMode(flag)
	}
	d, err := device.Defaults(a)
	if err != nil || d.Mode == "" {
		return dfu.ConfirmAfter, err
	}
	mode, err := parseMode(d.Mode)
	if err != nil {
		return 0, failure.AsUsage(d.Wrong("mode", err))
	}
	return mode, nil
}
