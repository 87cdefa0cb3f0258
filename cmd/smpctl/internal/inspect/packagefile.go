package inspect

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image/pack"
)

// packageInspection is the result of inspect for an update package.
type packageInspection struct {
	File          string             `json:"file"`
	Format        pack.Format        `json:"format"`
	FileSize      int                `json:"bytes"`
	FileSHA256    string             `json:"file_sha256"`
	Name          string             `json:"name,omitempty"`           // of the application, by the manifest
	FormatVersion *int               `json:"format_version,omitempty"` // of a zip's manifest
	Time          string             `json:"time,omitempty"`           // when it was packed, in RFC 3339, UTC
	Members       []memberInspection `json:"images"`                   // each image file in it
	Warnings      []string           `json:"warnings"`
}

// memberInspection is one image of a package.
type memberInspection struct {
	Name     string         `json:"file"` // its name in the package
	Image    int            `json:"image"`
	Slot     *int           `json:"slot,omitempty"`     // that it is built for
	Manifest map[string]any `json:"manifest,omitempty"` // what the manifest says of it
	Contents *inspection    `json:"contents,omitempty"` // as inspect shows a file
	Error    *app.Failure   `json:"error,omitempty"`    // what is wrong with it
}

// inspectPackage shows all members, also beside a damaged one.
func inspectPackage(ctx context.Context, a *app.App, path string, data []byte) (app.Result, error) {
	p, err := pack.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := packageInspection{
		File: path, Format: p.Format, FileSize: len(data), FileSHA256: files.SHA256(data), Name: p.Name,
		Time:    packed(p.Time),
		Members: []memberInspection{}, Warnings: append([]string{}, p.Warnings...),
	}
	if p.Format == pack.Zip {
		r.FormatVersion = &p.Version
	}
	var failed error
	for _, m := range p.Members {
		entry, err := inspectMember(ctx, a, path, m)
		r.Members = append(r.Members, entry)
		if failed == nil {
			failed = err
		}
	}
	return r, failed
}

// packed is the time of the packing, from seconds since 1970; empty if there is none that RFC 3339 can write.
func packed(seconds int64) string {
	t := time.Unix(seconds, 0).UTC()
	if seconds == 0 || t.Year() < 0 || t.Year() > 9999 {
		return ""
	}
	return t.Format(time.RFC3339)
}

func inspectMember(ctx context.Context, a *app.App, path string, m pack.Member) (memberInspection, error) {
	entry := memberInspection{Name: m.Name, Image: m.Image, Manifest: m.Fields}
	if m.Slot != pack.AnySlot {
		entry.Slot = &m.Slot
	}
	found, err := inspectImage(path+": "+m.Name, m.Data)
	if i, ok := found.(inspection); ok {
		if img, err := m.Load(); err == nil {
			i.Warnings = append(i.Warnings, m.Differs(img)...)
		}
		i.File = m.Name
		entry.Contents = &i
	}
	if err != nil {
		f := a.Failure(ctx, err)
		entry.Error = &f
	}
	return entry, err
}

// Text prints the package, then each member as inspect prints an image.
func (r packageInspection) Text(w io.Writer) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("package", "%s, %s of %d bytes with %d images", r.File, r.Format, r.FileSize, len(r.Members))
	if r.Name != "" {
		line("name", "%s", oneLine(r.Name))
	}
	if r.Time != "" {
		line("packed", "%s", r.Time)
	}
	line("file SHA-256", "%s", r.FileSHA256)
	for _, text := range r.Warnings {
		line("warning", "%s", text)
	}
	for _, m := range r.Members {
		fmt.Fprintln(w)
		line("image", "%s", m.describe())
		if m.Contents == nil {
			line("file", "%s: %s", m.Name, m.Error.Message)
			continue
		}
		if err := m.Contents.Text(w); err != nil {
			return err
		}
	}
	return nil
}

// describe is the image number and what else the manifest says of where it goes.
func (m memberInspection) describe() string {
	text := fmt.Sprint(m.Image)
	if m.Slot != nil {
		text += fmt.Sprintf(", built for slot %d", *m.Slot)
	}
	for _, key := range []string{"type", "board", "soc"} {
		if value, ok := m.Manifest[key].(string); ok {
			text += ", " + key + " " + oneLine(value)
		}
	}
	return text
}

// oneLine keeps a text of a file to one line of reasonable length.
func oneLine(s string) string {
	const most = 100
	q := fmt.Sprintf("%.*q", most, s)
	return q[1 : len(q)-1]
}
