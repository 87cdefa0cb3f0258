package pack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/image"
)

const (
	manifestName = "manifest.json"
	maxManifest  = 64 << 10 // bytes; one with five files has two thousand
)

// parseZip reads a dfu_application.zip or dfu_mcuboot.zip.
func parseZip(b []byte) (*Package, error) {
	a, err := openZip(b)
	if err != nil {
		return nil, err
	}
	p, entries, err := a.manifest()
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		m, err := a.member(e)
		if err == nil && slices.ContainsFunc(p.Members, func(o Member) bool { return o.Name == m.Name }) {
			err = wrong(ErrSameImage, "%s is named for the second time", quote(m.Name))
		}
		if err != nil {
			return nil, fail(err.Kind, "%s: file %d: %s", manifestName, i+1, err.Detail)
		}
		p.Members = append(p.Members, m)
	}
	p.Warnings = append(p.Warnings, a.strays(p)...)
	return p, p.checkImages()
}

// manifest reads the manifest, its files as they stand there.
func (a archive) manifest() (*Package, []fields, error) {
	f, ok := a.files[manifestName]
	if !ok {
		return nil, nil, a.noManifest()
	}
	if f.UncompressedSize64 > maxManifest {
		return nil, nil, fail(ErrBadManifest, "%s: %d bytes, more than the %d that are read",
			manifestName, f.UncompressedSize64, maxManifest)
	}
	text, err := a.read(manifestName)
	if err != nil {
		return nil, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	d.UseNumber()
	var top fields
	if err := d.Decode(&top); err != nil {
		return nil, nil, fail(ErrBadManifest, "%s: not a JSON object: %v", manifestName, err)
	}
	if d.More() {
		return nil, nil, fail(ErrBadManifest, "%s: something follows the JSON object", manifestName)
	}
	p := &Package{Format: Zip}
	p.Name, _ = top["name"].(string)
	version, _, problem := top.number("format-version", 1<<31-1)
	if problem != nil {
		return nil, nil, fail(ErrBadManifest, "%s: %s", manifestName, problem.Detail)
	}
	if p.Version = int(version); p.Version > newestVersion {
		p.Warnings = append(p.Warnings,
			fmt.Sprintf("%s: format-version %d is newer than the %d that is known",
				manifestName, p.Version, newestVersion))
	}
	if n, ok, problem := top.number("time", 1<<62); ok && problem == nil {
		p.Time = int64(n)
	}
	entries, problem := top.files()
	if problem != nil {
		return nil, nil, fail(ErrBadManifest, "%s: %s", manifestName, problem.Detail)
	}
	return p, entries, nil
}

// newestVersion is the highest format-version that is known; 0 and 1 say the same things.
const newestVersion = 1

// noManifest says why there is none, as far as one can see.
func (a archive) noManifest() error {
	for name := range a.files {
		if path.Base(name) == manifestName {
			return fail(ErrNoManifest, "zip archive: %s stands in a folder: pack the files, not their folder",
				manifestName)
		}
	}
	return fail(ErrNoManifest, "zip archive: no %s, so it is not an update package", manifestName)
}

// strays are files of the archive that the manifest does not name.
func (a archive) strays(p *Package) []string {
	var list []string
	for name := range a.files {
		if name != manifestName && !slices.ContainsFunc(p.Members, func(m Member) bool { return m.Name == name }) {
			list = append(list, quote(name)+" is in the archive but not in "+manifestName)
		}
	}
	slices.Sort(list)
	return list
}

// member reads an entry of the manifest and its file.
func (a archive) member(e fields) (Member, *image.Error) {
	m := Member{Slot: AnySlot, Fields: e}
	var ok bool
	if m.Name, ok = e["file"].(string); !ok || m.Name == "" {
		return m, wrong(ErrBadManifest, "no \"file\" that names it")
	}
	if nameProblem(m.Name) != "" || strings.Contains(m.Name, "/") {
		return m, wrong(ErrUnsafeName, "%s is not a plain file name", quote(m.Name))
	}
	f, ok := a.files[m.Name]
	if !ok {
		return m, wrong(ErrMemberMissing, "%s is not in the archive", quote(m.Name))
	}
	if err := m.read(e); err != nil {
		return m, err
	}
	size, ok, err := e.number("size", 1<<62)
	switch {
	case err != nil:
		return m, err
	case !ok:
		return m, wrong(ErrBadManifest, "%s: no \"size\"", quote(m.Name))
	case size != f.UncompressedSize64:
		return m, wrong(ErrMemberSize, "%s has %d bytes, not %d", quote(m.Name), f.UncompressedSize64, size)
	}
	data, failed := a.read(m.Name)
	if failed != nil {
		return m, wrong(ErrMemberDamaged, "%v", failed)
	}
	m.Data = data
	return m, nil
}

// read takes over what the manifest says of the image. What is not said is image 0, whatever the slot.
func (m *Member) read(e fields) *image.Error {
	number, _, err := e.number("image_index", MaxImage)
	if err != nil {
		return err
	}
	m.Image = int(number)
	slot, ok, err := e.number("slot", 1)
	if err != nil {
		return err
	}
	if ok {
		m.Slot = int(slot)
	}
	if m.LoadAddress, _, err = e.number("load_address", 1<<32-1); err != nil {
		return err
	}
	for _, key := range []string{"version_MCUBOOT", "version_MCUBOOT+XIP"} {
		if v, ok := e[key].(string); ok {
			m.Version = v
		}
	}
	kind, _ := e["type"].(string)
	m.Bootloader = kind == "mcuboot"
	_, m.staged = e["version_B0"]
	return nil
}

// fields are a JSON object of the manifest.
type fields map[string]any

// wrong is fail where it is not known yet of which file the fault is.
func wrong(k image.Kind, format string, args ...any) *image.Error {
	return &image.Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}

// number reads a number, which the manifests write as a number or as a text, decimal or 0x.
func (f fields) number(key string, most uint64) (n uint64, ok bool, err *image.Error) {
	var text string
	switch v := f[key].(type) {
	case nil:
		return 0, false, nil
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return 0, false, wrong(ErrBadManifest, "%q is not a number", key)
	}
	digits, base := text, 10
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		digits, base = hex, 16
	}
	n, failed := strconv.ParseUint(digits, base, 64)
	if failed != nil || n > most {
		return 0, false, wrong(ErrBadManifest, "%q is %s, want a number up to %d", key, quote(text), most)
	}
	return n, true, nil
}

// files are the entries of the manifest.
func (f fields) files() ([]fields, *image.Error) {
	list, ok := f["files"].([]any)
	if !ok || len(list) == 0 {
		return nil, wrong(ErrBadManifest, "no list of \"files\", or an empty one")
	}
	entries := make([]fields, len(list))
	for i, v := range list {
		e, ok := v.(map[string]any)
		if !ok {
			return nil, wrong(ErrBadManifest, "file %d is not an object", i+1)
		}
		entries[i] = e
	}
	return entries, nil
}

// checkImages refuses a package in which two members are for the same place. The two variants for the slots of the
// first-stage bootloader have only their addresses in older packages.
func (p *Package) checkImages() error {
	type place struct {
		image, slot int
		address     uint64
	}
	seen := map[place]string{}
	for _, m := range p.Members {
		at := place{image: m.Image, slot: m.Slot}
		if m.staged && m.Slot == AnySlot {
			at.address = m.LoadAddress
		}
		if first, ok := seen[at]; ok {
			return fail(ErrSameImage, "%s and %s are both for image %d%s",
				quote(first), quote(m.Name), m.Image, slotText(m.Slot))
		}
		seen[at] = m.Name
	}
	for _, m := range p.Members {
		if _, ok := seen[place{image: m.Image, slot: AnySlot}]; ok && m.Slot != AnySlot {
			return fail(ErrSameImage, "of the files for image %d one is for slot %d and another for none",
				m.Image, m.Slot)
		}
	}
	return nil
}
