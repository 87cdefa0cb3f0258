package signing

import (
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/spf13/pflag"
)

// fileFlags are the options that name a file, with what stands before its path. The file has to be the same when the
// image is made again.
var fileFlags = map[string]func(value string) (before, path string){
	"encrypt": func(value string) (string, string) { return "", value },
	"custom-tlv-file": func(value string) (string, string) {
		tag, path, _ := strings.Cut(value, "=")
		return tag + "=", path
	},
}

// recordOptions keeps in a request what was said on the command line, but for what concerns this step only.
func recordOptions(r *signer.Request, given, known *pflag.FlagSet, request string) error {
	r.Options = []string{}
	var first error
	given.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) == nil {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(interface{ GetSlice() []string }); ok { // a flag that may be repeated
			values = list.GetSlice()
		}
		for _, value := range values {
			value, err := recordOption(r, f.Name, value, request)
			if first == nil {
				first = err
			}
			r.Options = append(r.Options, "--"+f.Name+"="+value)
		}
	})
	return first
}

// recordOption gives the value for the request: a path in it becomes relative to that.
func recordOption(r *signer.Request, name, value, request string) (string, error) {
	split := fileFlags[name]
	if split == nil {
		return value, nil
	}
	before, path := split(value)
	file, err := signer.RecordFile(path, request)
	r.Files = append(r.Files, file)
	return before + file.Path, err
}

// applyOptions sets the recorded options of a request that lies at the given path.
func applyOptions(r signer.Request, f *pflag.FlagSet, request string) error {
	for _, option := range r.Options {
		text, dashes := strings.CutPrefix(option, "--")
		name, value, ok := strings.Cut(text, "=")
		if !dashes || !ok || f.Lookup(name) == nil {
			return failure.AsImage(fmt.Errorf("%s: option %q is unknown: the request is from another version of smpctl",
				request, option))
		}
		if split := fileFlags[name]; split != nil {
			before, path := split(value)
			value = before + signer.RequestFile{Path: path}.From(request)
		}
		if err := f.Set(name, value); err != nil {
			return failure.AsImage(fmt.Errorf("%s: option --%s: %w", request, name, err))
		}
	}
	return nil
}
