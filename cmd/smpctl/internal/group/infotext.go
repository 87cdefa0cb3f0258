package group

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
)

// Text prints a page of lines that fit a terminal of 80 columns.
func (r infoResult) Text(w io.Writer) error {
	p := page{w}
	p.line("port", r.Port)
	p.line("serial", r.Serial)
	switch {
	case r.Runs == view.RunsBootloader:
		p.line("runs", view.RecoveryName)
	case r.Application != nil:
		p.line("runs", fmt.Sprintf("application %s (%s)", r.Application.Version, r.Application.Hash.Short()))
	}
	p.line("board", r.Board)
	p.line("system", r.system())
	p.line("processor", join(r.Machine, r.Processor))
	p.line("built", r.Built)
	p.line("clock", r.Clock)
	p.line("protocol", "SMP version "+r.SMPVersion)
	if r.BufferSize > 0 {
		p.line("buffers", fmt.Sprintf("%d of %d bytes", r.BufferCount, r.BufferSize))
	}
	if b := r.Bootloader; b != nil {
		s := join(b.Bootloader, "("+b.ModeName+")")
		if b.NoDowngrade {
			s += ", refuses lower versions"
		}
		p.line("bootloader", s)
	}
	r.slots(p)
	r.figures(p)
	if r.key != "" {
		p.line("signatures", "checked before an upload, with "+r.key)
	} else {
		p.line("signatures",
			"not checked before an upload: --key names a public key, and so does a connection profile "+
				"or smpctl.toml")
	}
	return nil
}

// system names the operating system; the release only where it says more than the version.
func (r infoResult) system() string {
	s := join(r.OS, r.Version)
	if release := strings.TrimPrefix(r.Release, "v"); release != "" && release != "unknown" && release != r.Version {
		s = join(s, "("+r.Release+")")
	}
	return s
}

// slots prints a line for each slot that the device tells of, in its slot info, in its image list, or in both.
func (r infoResult) slots(p page) {
	images := slices.Clone(r.Images)
	for _, m := range r.Slots {
		for _, s := range m.Slots {
			text := slotName(m.Image, s.Slot) + "  " + human.Flash(s.Size)
			if s.Errno != nil {
				text = fmt.Sprintf("%s  unreadable (errno %d)", slotName(m.Image, s.Slot), *s.Errno)
			}
			i := slices.IndexFunc(images,
				func(e view.ImageEntry) bool { return e.Image == m.Image && e.Slot == s.Slot })
			switch {
			case i >= 0:
				text += "  " + images[i].Summary()
				images = slices.Delete(images, i, i+1)
			case r.listed && s.Errno == nil:
				text += "  empty"
			}
			p.line("slot", text)
		}
	}
	for _, e := range images {
		p.line("slot", slotName(e.Image, e.Slot)+"  "+e.Summary())
	}
}

func slotName(image, slot int) string { return fmt.Sprintf("image %d slot %d", image, slot) }

// figures prints groups, tasks and memory.
func (r infoResult) figures(p page) {
	var groups []string
	for _, g := range r.Groups {
		groups = append(groups, g.Name)
	}
	p.line("groups", strings.Join(groups, ", "))
	if len(r.Tasks) > 0 {
		p.line("tasks", fmt.Sprintf("%d%s", len(r.Tasks), fullestStack(r.Tasks)))
	}
	for _, m := range r.Pools {
		unit := "bytes"
		if m.BlockSize != 1 {
			unit = fmt.Sprintf("blocks of %d bytes", m.BlockSize)
		}
		p.line("memory", fmt.Sprintf("%s: %d of %d %s free, at least %d", m.Name, m.Free, m.Blocks, unit, m.LeastFree))
	}
}

// fullestStack tells of the thread with the least of its stack left, if the device says.
func fullestStack(tasks []taskEntry) string {
	var fullest *taskEntry
	share := func(t *taskEntry) float64 { return float64(*t.StackUsed) / float64(*t.StackBytes) }
	for i := range tasks {
		t := &tasks[i]
		if t.StackUsed == nil || t.StackBytes == nil || *t.StackBytes == 0 {
			continue
		}
		if fullest == nil || share(t) > share(fullest) {
			fullest = t
		}
	}
	if fullest == nil {
		return ""
	}
	return fmt.Sprintf(", fullest stack: %s, %d of %d bytes (%.0f %%)",
		cmp.Or(fullest.Name, "of a thread without a name"), *fullest.StackUsed, *fullest.StackBytes, 100*share(fullest))
}

// page prints lines of a name and a value.
type page struct{ w io.Writer }

// Layout of a page, in columns.
const (
	pageWidth  = 80
	pageIndent = 12
)

// line prints a name and a value, nothing for an empty one. A long value goes on in the next line, where it has spaces.
func (p page) line(name, value string) {
	if value == "" {
		return
	}
	for rest := screen.Unbroken(value); ; name = "" {
		cut := len(rest)
		for utf8.RuneCountInString(rest[:cut]) > pageWidth-pageIndent {
			i := strings.LastIndexByte(strings.TrimRight(rest[:cut], " "), ' ')
			if i <= 0 {
				break
			}
			cut = i
		}
		fmt.Fprintf(p.w, "%-*s%s\n", pageIndent, name, strings.TrimRight(rest[:cut], " "))
		if rest = strings.TrimLeft(rest[cut:], " "); rest == "" {
			return
		}
	}
}

func join(a, b string) string {
	if a != "" && b != "" {
		a += " "
	}
	return a + b
}
