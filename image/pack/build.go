package pack

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"hash/crc32"
	"strconv"
	"time"
)

// packed is the time of everything in a package that this program makes, the earliest that a zip archive can say: the
// same images give the same bytes.
var packed = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// manifestFile is an entry of the manifest, in the order of nRF's own script.
type manifestFile struct {
	Type        string  `json:"type,omitempty"`
	Board       string  `json:"board,omitempty"`
	SOC         string  `json:"soc,omitempty"`
	LoadAddress uint64  `json:"load_address,omitempty"`
	Image       string  `json:"image_index"`
	Slot        *string `json:"slot,omitempty"`
	Primary     string  `json:"slot_index_primary,omitempty"`
	Secondary   string  `json:"slot_index_secondary,omitempty"`
	Version     string  `json:"version_MCUBOOT,omitempty"`
	VersionXIP  string  `json:"version_MCUBOOT+XIP,omitempty"`
	Size        int     `json:"size"`
	File        string  `json:"file"`
	Modified    int64   `json:"modtime"`
}

type manifest struct {
	Format int            `json:"format-version"`
	Time   int64          `json:"time"`
	Files  []manifestFile `json:"files"`
	Name   string         `json:"name,omitempty"`
}

// zip writes a dfu_application.zip, its files stored as they are.
func (p *Package) zip() ([]byte, error) {
	text, err := p.manifestText()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range append(p.Members[:len(p.Members):len(p.Members)], Member{Name: manifestName, Data: text}) {
		f, err := w.CreateRaw(storedHeader(m))
		if err != nil {
			return nil, fail(ErrBadBuild, "%s: %v", quote(m.Name), err)
		}
		if _, err := f.Write(m.Data); err != nil {
			return nil, fail(ErrBadBuild, "%s: %v", quote(m.Name), err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fail(ErrBadBuild, "zip archive: %v", err)
	}
	return b.Bytes(), nil
}

// storedHeader is the header of a file whose length stands in front of it, where small readers look, and not behind it.
func storedHeader(m Member) *zip.FileHeader {
	const utf8Name, firstDay = 0x800, 1<<5 | 1 // APPNOTE.TXT 4.4.4; the MS-DOS date of packed
	size := uint64(len(m.Data))
	h := &zip.FileHeader{
		Name: m.Name, Method: zip.Store, Flags: utf8Name, CRC32: crc32.ChecksumIEEE(m.Data), CompressedSize64: size,
		UncompressedSize64: size,
	}
	h.ModifiedDate = firstDay //lint:ignore SA1019 a raw header is written as it is: Modified does not count
	return h
}

func (p *Package) manifestText() ([]byte, error) {
	top := manifest{Format: newestVersion, Time: packed.Unix(), Name: p.Name, Files: []manifestFile{}}
	for _, m := range p.Members {
		top.Files = append(top.Files, newManifestFile(m))
	}
	text, err := json.MarshalIndent(top, "", "    ")
	if err != nil {
		return nil, fail(ErrBadBuild, "%s: %v", manifestName, err)
	}
	return append(text, '\n'), nil
}

func newManifestFile(m Member) manifestFile {
	said := func(key string) string { s, _ := m.Fields[key].(string); return s }
	f := manifestFile{
		Type: said("type"), Board: said("board"), SOC: said("soc"), LoadAddress: m.LoadAddress,
		Image: strconv.Itoa(m.Image),
		Size:  len(m.Data), File: m.Name, Modified: packed.Unix(),
	}
	if m.Slot == AnySlot {
		f.Primary, f.Secondary, f.Version = strconv.Itoa(2*m.Image+1), strconv.Itoa(2*m.Image+2), m.Version
		return f
	}
	slot := strconv.Itoa(m.Slot)
	f.Slot, f.VersionXIP = &slot, m.Version
	return f
}
