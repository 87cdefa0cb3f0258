package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/image/pack"
)

// packageInspection is the result of inspect for an update package.
type packageInspection struct {
	File          string             `json:"file"`
	Format        pack.Format        `json:"format"`
	FileSize      int                `json:"file_size"` // bytes
	FileSHA256    string             `json:"file_sha256"`
	Name          string             `json:"name,omitempty"`
	FormatVersion *int               `json:"format_version,omitempty"` // of a zip's manifest
	Time          int64              `json:"time,omitempty"`           // Unix time of the packing
	Members       []memberInspection `json:"members"`
	Warnings      []string           `json:"warnings"`
}

// memberInspection is one image of a package.
type memberInspection struct {
	Name     string         `json:"name"`
	Image    int            `json:"image"`
	Slot     *int           `json:"slot,omitempty"` // that it is built for
	Manifest map[string]any `json:"manifest,omitempty"`
	Contents *inspection    `json:"contents,omitempty"`
	Error    string         `json:"error,omitempty"`
}

// inspectPackage shows all members, also beside a damaged one.
func inspectPackage(path string, data []byte) (app.Result, error) {
	p, err := pack.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sum := sha256.Sum256(data)
	r := packageInspection{
		File: path, Format: p.Format, FileSize: len(data), FileSHA256: hex.EncodeToString(sum[:]), Name: p.Name,
		Time:    p.Time,
		Members: []memberInspection{}, Warnings: append([]string{}, p.Warnings...),
	}
	if p.Format == pack.Zip {
		r.FormatVersion = &p.Version
	}
	var failed error
	for _, m := range p.Members {
		entry, err := inspectMember(path, m)
		r.Members = append(r.Members, entry)
		if failed == nil {
			failed = err
		}
	}
	return r, failed
}

func inspectMember(path string, m pack.Member) (memberInspection, error) {
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
		entry.Error = err.Error()
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
	if r.Time != 0 {
		line("packed", "%s", time.Unix(r.Time, 0).UTC().Format(time.RFC3339))
	}
	line("file SHA-256", "%s", r.FileSHA256)
	for _, text := range r.Warnings {
		line("warning", "%s", text)
	}
	for _, m := range r.Members {
		fmt.Fprintln(w)
		line("image", "%s", m.describe())
		if m.Contents == nil {
			line("file", "%s: %s", m.Name, m.Error)
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
