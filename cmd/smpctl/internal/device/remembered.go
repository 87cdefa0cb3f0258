package device

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

// What devices listed a moment ago is kept for the completion of hashes, which opens no port.
const (
	rememberedFile    = "images.json"
	rememberedFor     = time.Minute
	maxRememberedFile = 1 << 20 // bytes
)

// remembered is the list of one device.
type remembered struct {
	At     time.Time         `json:"at"`
	Images []rememberedImage `json:"images"`
}

type rememberedImage struct {
	Hash string `json:"hash"`
	What string `json:"what"` // for people
}

// Remember keeps what the device lists, under the address that the user gave it. That it cannot is no matter.
func (d *Device) Remember(list smp.ImageList) {
	path, err := files.CachePath(d.App.Env, rememberedFile)
	if err != nil || len(list.Images) == 0 {
		return
	}
	lists := readRemembered(path)
	now := remembered{At: time.Now()}
	for _, s := range list.Images {
		if len(s.Hash) > 0 {
			now.Images = append(now.Images, rememberedImage{s.Hash.String(), whatIs(s)})
		}
	}
	lists[d.Settings.Address.String()] = now
	text, err := json.Marshal(lists)
	if err == nil && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = files.Write(path, text, files.Options{Private: true})
	}
}

// whatIs describes an image in a line.
func whatIs(s smp.ImageState) string {
	text := fmt.Sprintf("image %d slot %d, %s", s.Image, s.Slot, view.VersionText(s.Version))
	for _, is := range []struct {
		so   bool
		word string
	}{{s.Active, "active"}, {s.Confirmed, "confirmed"}, {s.Pending, "pending"}} {
		if is.so {
			text += ", " + is.word
		}
	}
	return text
}

// readRemembered reads the lists that are not too old.
func readRemembered(path string) map[string]remembered {
	lists := map[string]remembered{}
	data, err := files.Read(path, maxRememberedFile)
	if err != nil || json.Unmarshal(data, &lists) != nil || lists == nil {
		return map[string]remembered{}
	}
	for address, l := range lists {
		if age := time.Since(l.At); age < 0 || age > rememberedFor {
			delete(lists, address)
		}
	}
	return lists
}

// offeredDigits of a hash are offered: enough for every device, and few enough to be read.
const offeredDigits = 16

// CompleteImage offers the hashes of the images that the device at hand listed in the last minute, and files.
func CompleteImage(a *app.App) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		s, err := readSettings(a)
		if err != nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		path, err := files.CachePath(a.Env, rememberedFile)
		if err != nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var offers []string
		for _, i := range readRemembered(path)[s.Address.String()].Images {
			if strings.HasPrefix(i.Hash, strings.ToLower(typed)) {
				digits := i.Hash[:min(max(offeredDigits, len(typed)), len(i.Hash))]
				offers = append(offers, cobra.CompletionWithDesc(digits, i.What))
			}
		}
		return offers, cobra.ShellCompDirectiveDefault
	}
}
