package pack_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/pack"
)

// file is a file of an archive under test; edit changes its header.
type file struct {
	name, data string
	edit       func(*zip.FileHeader)
}

func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name}
		if f.edit != nil {
			f.edit(h)
		}
		to, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write([]byte(f.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// manifested is an archive with files a.bin and b.bin of four bytes, whose entries are as given.
func manifested(t testing.TB, entries ...string) []byte {
	text := `{"format-version": 1, "files": [` + strings.Join(entries, ",") + `]}`
	return archive(t, file{name: "a.bin", data: "aaaa"}, file{name: "b.bin", data: "bbbb"},
		file{name: "manifest.json", data: text})
}

const plainA, plainB = `{"file": "a.bin", "size": 4}`, `{"file": "b.bin", "size": 4, "image_index": "1"}`

func method(m uint16) func(*zip.FileHeader) { return func(h *zip.FileHeader) { h.Method = m } }

func TestArchiveFaults(t *testing.T) {
	good := manifested(t, plainA, plainB)
	if _, err := pack.Parse(good); err != nil {
		t.Fatal(err)
	}
	extra := func(name string) []byte {
		return archive(t, file{name: "manifest.json", data: `{"files": [{"file": "a.bin", "size": 1}]}`},
			file{name: "a.bin", data: "a"}, file{name: name})
	}
	patch := func(old, with string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("nothing to patch: %q", old)
		}
		return bytes.ReplaceAll(good, []byte(old), []byte(with))
	}
	many := []file{{name: "manifest.json", data: "{}"}}
	for i := range 200 {
		many = append(many, file{name: strings.Repeat("x", i+1)})
	}
	end := bytes.LastIndex(good, []byte("PK\x05\x06"))
	index := int(binary.LittleEndian.Uint32(good[end+16:]))
	entry := func(offset int, value ...byte) []byte { // of the first file, in the table of contents
		b := bytes.Clone(good)
		copy(b[index+offset:], value)
		return b
	}
	for _, tt := range []struct {
		name string
		data []byte
		want image.Kind
	}{
		{"cut short", good[:len(good)-5], pack.ErrBadZip},
		{"cut in the middle", good[:len(good)/2], pack.ErrBadZip},
		{"something behind it", append(bytes.Clone(good), "more"...), pack.ErrBadZip},
		{"something removed from the front", append([]byte("PK\x03\x04"), good[40:]...), pack.ErrBadZip},
		{"empty", []byte("PK\x05\x06" + strings.Repeat("\x00", 18)), pack.ErrNoManifest},
		{"not an archive", []byte("plain text"), pack.ErrBadZip},
		{"parent folder", extra("../evil"), pack.ErrUnsafeName},
		{"hidden parent folder", extra("a/../../evil"), pack.ErrUnsafeName},
		{"absolute", extra("/etc/evil"), pack.ErrUnsafeName},
		{"drive", extra("C:evil"), pack.ErrUnsafeName},
		{"backslash", extra(`..\evil`), pack.ErrUnsafeName},
		{"detour", extra("a//b"), pack.ErrUnsafeName},
		{"control character", extra("a\x1b[2J"), pack.ErrUnsafeName},
		{"direction of text", extra("a\u202eb"), pack.ErrUnsafeName},
		{"not UTF-8", extra("a\xff"), pack.ErrUnsafeName},
		{"no name", extra(""), pack.ErrUnsafeName},
		{"endless name", extra(strings.Repeat("a", 256)), pack.ErrUnsafeName},
		{"same name", extra("a.bin"), pack.ErrDuplicateName},
		{"same name but for the case", extra("A.BIN"), pack.ErrDuplicateName},
		{"symbolic link",
			archive(t,
				file{name: "link", data: "/etc/passwd",
					edit: func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }}), pack.ErrNotAFile},
		{"device", archive(t, file{name: "d", edit: func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o777) }}),
			pack.ErrNotAFile},
		{"too many files", archive(t, many...), pack.ErrTooManyFiles},
		{"bomb", archive(t, file{name: "manifest.json", data: strings.Repeat("0", 10<<20), edit: method(zip.Deflate)}),
			pack.ErrTooLarge},
		{"password", entry(8, 1), pack.ErrEncryptedZip},
		{"unknown method", entry(10, 12), pack.ErrZipMethod},
		{"a length that is not true", entry(24, 5), pack.ErrMemberSize},
		{"lengths that overlap", entry(20, 0, 0, 1), pack.ErrBadZip},
		{"damaged file", patch("aaaa", "aaab"), pack.ErrMemberDamaged},
		{"manifest in a folder", archive(t, file{name: "x/manifest.json", data: "{}"}), pack.ErrNoManifest},
		{"endless manifest", archive(t, file{name: "manifest.json", data: strings.Repeat(" ", 65<<10)}),
			pack.ErrBadManifest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := pack.Parse(tt.data)
			if got := kindOf(t, err); got != tt.want {
				t.Errorf("Parse = %+v, %q (%v), want %q", p, got, err, tt.want)
			}
		})
	}
}

func TestManifestFaults(t *testing.T) {
	raw := func(text string) []byte { return archive(t, file{name: "manifest.json", data: text}) }
	for _, tt := range []struct {
		name string
		data []byte
		want image.Kind
	}{
		{"no object", raw(`[]`), pack.ErrBadManifest},
		{"null", raw(`null`), pack.ErrBadManifest},
		{"two objects", raw(`{"files": []} {}`), pack.ErrBadManifest},
		{"no files", raw(`{}`), pack.ErrBadManifest},
		{"empty list", raw(`{"files": []}`), pack.ErrBadManifest},
		{"files of another type", raw(`{"files": [7]}`), pack.ErrBadManifest},
		{"format-version of another type", raw(`{"format-version": [], "files": []}`), pack.ErrBadManifest},
		{"endless nesting", raw(`{"files": ` + strings.Repeat("[", 30000)), pack.ErrBadManifest},
		{"no file name", manifested(t, `{"size": 4}`), pack.ErrBadManifest},
		{"file name with a folder", manifested(t, `{"file": "x/a.bin", "size": 4}`), pack.ErrUnsafeName},
		{"no size", manifested(t, `{"file": "a.bin"}`), pack.ErrBadManifest},
		{"another size", manifested(t, `{"file": "a.bin", "size": 5}`), pack.ErrMemberSize},
		{"no such file", manifested(t, `{"file": "c.bin", "size": 4}`), pack.ErrMemberMissing},
		{"image out of range", manifested(t, `{"file": "a.bin", "size": 4, "image_index": "256"}`),
			pack.ErrBadManifest},
		{"image negative", manifested(t, `{"file": "a.bin", "size": 4, "image_index": -1}`), pack.ErrBadManifest},
		{"image no number", manifested(t, `{"file": "a.bin", "size": 4, "image_index": "one"}`), pack.ErrBadManifest},
		{"slot 1-based", manifested(t, `{"file": "a.bin", "size": 4, "slot": "2"}`), pack.ErrBadManifest},
		{"address of another type", manifested(t, `{"file": "a.bin", "size": 4, "load_address": true}`),
			pack.ErrBadManifest},
		{"an image twice", manifested(t, plainA, `{"file": "b.bin", "size": 4}`), pack.ErrSameImage},
		{"a slot twice",
			manifested(t, `{"file": "a.bin", "size": 4, "slot": 1}`, `{"file": "b.bin", "size": 4, "slot": "1"}`),
			pack.ErrSameImage},
		{"for one slot and for any", manifested(t, plainA, `{"file": "b.bin", "size": 4, "slot": "1"}`),
			pack.ErrSameImage},
		{"a file twice", manifested(t, plainA, `{"file": "a.bin", "size": 4, "image_index": 1}`), pack.ErrSameImage},
		{"a bootloader twice",
			manifested(t, `{"file": "a.bin", "size": 4, "version_B0": "1"}`,
				`{"file": "b.bin", "size": 4, "version_B0": "1"}`), pack.ErrSameImage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := kindOf(t, second(pack.Parse(tt.data))); got != tt.want {
				t.Errorf("Parse = %q, want %q", got, tt.want)
			}
		})
	}
}

func second(_ *pack.Package, err error) error { return err }

// TestManifestForms are the many ways in which manifests say the same.
func TestManifestForms(t *testing.T) {
	p, err := pack.Parse(manifested(t,
		`{"file": "a.bin", "size": "4", "image_index": 1, "slot": 0, "load_address": "0x8000",
			"version_MCUBOOT+XIP": "1.0.0", "unknown": {}}`,
		`{"file": "b.bin", "size": 4, "image_index": "1", "slot": "1", "load_address": 65536}`))
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.Members[0], p.Members[1]
	if a.Image != 1 || a.Slot != 0 || a.LoadAddress != 0x8000 || a.Version != "1.0.0" || b.Image != 1 || b.Slot != 1 ||
		b.LoadAddress != 65536 {
		t.Errorf("members %+v, %+v", a, b)
	}
	// A bootloader update: older packages tell its two variants apart by their address only.
	p, err = pack.Parse(manifested(t,
		`{"file": "a.bin", "size": 4, "type": "mcuboot", "load_address": 32768, "version_B0": "2"}`,
		`{"file": "b.bin", "size": 4, "type": "mcuboot", "load_address": 65536, "version_B0": "2"}`))
	if err != nil || !p.Members[0].Bootloader || p.Members[0].Slot != pack.AnySlot {
		t.Errorf("bootloader: %+v, %v", p, err)
	}
	// Worth a word: a newer format, and files beside those of the manifest.
	p, err = pack.Parse(archive(t,
		file{name: "manifest.json", data: "\ufeff" + `{"format-version": 2, "files": [` + plainA + `]}`},
		file{name: "a.bin", data: "aaaa"}, file{name: "__MACOSX/"}, file{name: "__MACOSX/a.bin"}))
	if err != nil || len(p.Warnings) != 2 {
		t.Errorf("warnings %+v, %v", p, err)
	}
}

func TestContainerFaults(t *testing.T) {
	good := readFile(t, "package/dfu_multi_image.bin")
	header := func(hex string, images int) []byte {
		b := binary.LittleEndian.AppendUint16(nil, uint16(len(hex)))
		return append(append(b, hex...), make([]byte, images)...)
	}
	const img = "\xa1\x63img"
	for _, tt := range []struct {
		name string
		data []byte
		want image.Kind
	}{
		{"cut short", good[:len(good)-1], pack.ErrContainerSize},
		{"cut in the header", good[:20], pack.ErrBadContainer},
		{"something behind it", append(bytes.Clone(good), 0), pack.ErrContainerSize},
		{"no image", header(img+"\x80", 0), pack.ErrBadContainer},
		{"more images than the header has", header(img+"\x82\xa2\x62id\x00\x64size\x01", 2), pack.ErrBadContainer},
		{"endless list", header(img+"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 0), pack.ErrBadContainer},
		{"list of no length", header(img+"\x9f\xa2\x62id\x00\x64size\x01\xff", 1), pack.ErrBadContainer},
		{"no list", header(img+"\x01", 0), pack.ErrBadContainer},
		{"no size", header(img+"\x81\xa2\x62id\x00\x62id\x01", 1), pack.ErrBadContainer},
		{"negative id", header(img+"\x81\xa2\x62id\x20\x64size\x01", 1), pack.ErrBadContainer},
		{"image out of range", header(img+"\x81\xa2\x62id\x19\x01\x00\x64size\x01", 1), pack.ErrBadContainer},
		{"endless image", header(img+"\x81\xa2\x62id\x00\x64size\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 1),
			pack.ErrContainerSize},
		{"an image twice", header(img+"\x82\xa2\x62id\x00\x64size\x01\xa2\x62id\x00\x64size\x01", 2),
			pack.ErrSameImage},
		{"left over in the header", header(img+"\x81\xa2\x62id\x00\x64size\x01\x00", 1), pack.ErrBadContainer},
		{"half a number", header(img+"\x81\xa2\x62id\x19\x01", 0), pack.ErrBadContainer},
		{"the other order", header(img+"\x81\xa2\x64size\x18\x01\x62id\x01", 1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := kindOf(t, second(pack.Parse(tt.data))); got != tt.want {
				t.Errorf("Parse = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestMemory reads archives that were made to take memory.
func TestMemory(t *testing.T) {
	small := archive(t, file{name: "manifest.json", data: "{}"})
	end := bytes.LastIndex(small, []byte("PK\x05\x06"))
	index := small[binary.LittleEndian.Uint32(small[end+16:]):end]
	endless := append([]byte("PK\x03\x04"), bytes.Repeat(index, 40000)...) // more entries than the end record admits
	endless = append(endless, small[end:]...)
	binary.LittleEndian.PutUint32(endless[len(endless)-10:], uint32(len(endless)-22-4))
	binary.LittleEndian.PutUint32(endless[len(endless)-6:], 4)
	for name, b := range map[string][]byte{
		"bomb": archive(t,
			file{name: "manifest.json", data: strings.Repeat("0", 60<<20), edit: method(zip.Deflate)}),
		"endless": endless,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := pack.Parse(b); err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(len(b))+1<<20 {
			t.Errorf("%s of %d bytes: %d bytes allocated", name, len(b), n)
		}
	}
}
