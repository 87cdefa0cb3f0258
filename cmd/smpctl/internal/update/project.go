package update

import (
	"errors"
	"os"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/project"
)

// fileToSend is the file that a command is to send: the one that its argument names, or else smpctl.toml. Of a build
// folder it is what the build made for this.
func fileToSend(a *app.App, args []string) (string, error) {
	d, err := device.Defaults(a)
	if err != nil {
		return "", err
	}
	path := d.File
	if len(args) > 0 {
		path = args[0]
	}
	if path == "" {
		return "", failure.Usage("a file is missing, and no %s here names one", project.Name)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path, err = project.BuildFile(path)
		var wrong *project.BuildError
		if errors.As(err, &wrong) {
			return "", failure.AsImage(failure.WithHint(err, wrong.Hint()))
		}
		if err != nil {
			return "", failure.AsImage(err)
		}
	}
	if len(args) == 0 || path != args[0] {
		a.Say("%-9s %s", "file", path)
	}
	return path, nil
}

// numberOf is the image that a flag names, or else smpctl.toml.
func numberOf(a *app.App, flag imageNumber) (imageNumber, error) {
	if flag.set {
		return flag, nil
	}
	d, err := device.Defaults(a)
	if err != nil || d.Image == nil {
		return flag, err
	}
	return imageNumber{*d.Image, true}, nil
}
