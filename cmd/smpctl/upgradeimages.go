package main

import (
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/smp/dfu"
)

// imageChange is what an update means for one of several images.
type imageChange struct {
	Image int          `json:"image"`
	From  imageVersion `json:"from"`
	To    imageVersion `json:"to"`
}

func newImageChanges(r dfu.Report) []imageChange {
	if len(r.Images) < 2 {
		return nil // the result itself says it
	}
	list := make([]imageChange, len(r.Images))
	for i, c := range r.Images {
		list[i] = imageChange{c.Image, imageVersion(c.From), imageVersion(c.To)}
	}
	return list
}

// versions joins what several images have in common for people, or is what the only one has.
func versions(images []imageChange, only imageVersion, of func(imageChange) imageVersion) string {
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
		parts[i] = imageVersion(c.Now).String()
		if len(r.Images) > 1 {
			parts[i] = fmt.Sprintf("image %d %s", c.Image, parts[i])
		}
	}
	return strings.Join(parts, ", ")
}

func fromVersion(c imageChange) imageVersion { return c.From }
func toVersion(c imageChange) imageVersion   { return c.To }

// which names the image of a step, if there are several.
func (v *upgradeView) which(s dfu.Step) (*int, string) {
	if s.Target < 0 || v.report == nil || len(v.report.Images) < 2 {
		return nil, ""
	}
	number := v.report.Images[s.Target].Image
	return &number, fmt.Sprintf("image %d: ", number)
}
