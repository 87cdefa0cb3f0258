package update

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// imageVersion names an image.
type imageVersion struct {
	Version string   `json:"version"`
	Hash    smp.Hash `json:"hash,omitempty"` // image hash, in hexadecimal digits; absent if the device lists none
}

// String names it for people; nil is no image.
func (v *imageVersion) String() string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s (%s)", v.Version, v.Hash.Short())
}

// imageChange is what an update means for one of several images.
type imageChange struct {
	Image int           `json:"image"`
	File  string        `json:"file,omitempty"` // its name in the package
	Bytes int           `json:"bytes,omitempty"`
	From  *imageVersion `json:"from,omitempty"` // what ran before; absent if the device does not say
	To    *imageVersion `json:"to,omitempty"`   // what the file holds
}

func newImageChanges(r dfu.Report, s source) []imageChange {
	images := imagesOf(r, s)
	if len(images) < 2 {
		return nil // the result itself says it
	}
	list := make([]imageChange, len(images))
	for i, c := range images {
		list[i] = imageChange{Image: c.Image, File: s.names[c.File], From: versionOf(c.From), To: fileVersion(c.File)}
		if c.File != nil {
			list[i].Bytes = len(c.File.Bytes())
		}
	}
	return list
}

// imagesOf are the images of an update; of one that did not get as far as reading the device, those of its source.
func imagesOf(r dfu.Report, s source) []dfu.ImageReport {
	if len(r.Images) > 0 {
		return r.Images
	}
	list := make([]dfu.ImageReport, len(s.targets))
	for i, t := range s.targets {
		list[i] = dfu.ImageReport{Image: t.Image, File: t.File}
	}
	return list
}

// fromAndTo is what an update means for its first image.
func fromAndTo(r dfu.Report, s source) (from, to *imageVersion) {
	images := imagesOf(r, s)
	if len(images) == 0 {
		return nil, nil
	}
	return versionOf(images[0].From), fileVersion(images[0].File)
}

// versionOf names what a slot holds, safe for a terminal; nil is nothing.
func versionOf(s *smp.ImageState) *imageVersion {
	if s == nil {
		return nil
	}
	if v, err := image.ParseVersion(s.Version); err == nil {
		return &imageVersion{v.String(), s.Hash}
	}
	return &imageVersion{strconv.Quote(s.Version), s.Hash}
}

// fileVersion names what a file holds; nil before one was chosen.
func fileVersion(f *image.Image) *imageVersion {
	if f == nil {
		return nil
	}
	return &imageVersion{f.Header.Version.String(), f.Hash()}
}

// versions joins what several images have in common for people, or is what the only one has.
func versions(images []imageChange, only *imageVersion, of func(imageChange) *imageVersion) string {
	if len(images) == 0 {
		return only.String()
	}
	parts := make([]string, len(images))
	for i, c := range images {
		parts[i] = fmt.Sprintf("image %d %s", c.Image, of(c))
	}
	return strings.Join(parts, ", ")
}

// runningNow names what the device lists as running of the images of an update.
func runningNow(r dfu.Report) string {
	parts := make([]string, len(r.Images))
	for i, c := range r.Images {
		parts[i] = versionOf(c.Now).String()
		if len(r.Images) > 1 {
			parts[i] = fmt.Sprintf("image %d %s", c.Image, parts[i])
		}
	}
	return strings.Join(parts, ", ")
}

func fromVersion(c imageChange) *imageVersion { return c.From }

func toVersion(c imageChange) *imageVersion { return c.To }

// which names the image of a step, if there are several.
func (v *upgradeView) which(s dfu.Step) (*int, string) {
	if s.Target < 0 || v.report == nil || len(v.report.Images) < 2 {
		return nil, ""
	}
	number := v.report.Images[s.Target].Image
	return &number, fmt.Sprintf("image %d: ", number)
}
