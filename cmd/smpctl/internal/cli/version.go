package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

func versionCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the version of smpctl",
		Example: "  smpctl version --json",
		Args:    app.Takes(0, 0),
		RunE: a.Run(func(context.Context, []string) (app.Result, error) {
			return newVersionResult(app.BuildInfo()), nil
		}),
	}
}

// versionFlag makes --version of the root what the command version does.
func versionFlag(a *app.App, root *cobra.Command) {
	asked := root.Flags().BoolP("version", "V", false, "show the version of smpctl")
	show := versionCommand(a)
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *asked && len(args) == 0 {
			return show.RunE(cmd, args)
		}
		return app.NeedsCommand(cmd, args)
	}
}

// versionResult says from what this program was built.
type versionResult struct {
	Version  string `json:"version"`            // of smpctl; "(devel)" if it was built from a checkout that has no tag
	Revision string `json:"revision,omitempty"` // of the source; absent if built in no checkout and as no release
	Modified bool   `json:"modified"`           // the checkout had changes that are in no revision
	Time     string `json:"time,omitempty"`     // of the revision, in RFC 3339
	Go       string `json:"go"`                 // version of Go that built it
	OS       string `json:"os"`                 // for which it was built
	Arch     string `json:"arch"`               // for which it was built
}

func newVersionResult(info *debug.BuildInfo, ok bool) versionResult {
	r := versionResult{Version: "(unknown)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if !ok {
		return r
	}
	r.Version = cmp.Or(info.Main.Version, r.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			r.Revision = s.Value
		case "vcs.modified":
			r.Modified = s.Value == "true"
		case "vcs.time":
			r.Time = s.Value
		}
	}
	return r
}

func (r versionResult) Text(w io.Writer) error {
	source := ""
	if r.Revision != "" {
		source = ", revision " + r.Revision
	}
	if r.Modified {
		source += " with changes"
	}
	_, err := fmt.Fprintf(w, "smpctl %s (%s, %s/%s%s)\n", r.Version, r.Go, r.OS, r.Arch, source)
	return err
}
