package image_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/internal/ihex"
)

func toHex(t *testing.T, data []byte, start uint32) []byte {
	t.Helper()
	text, err := ihex.Write(start, ihex.Part{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFromHex(t *testing.T) {
	data, start, err := image.FromHex(toHex(t, []byte("firmware"), 0x8000))
	if string(data) != "firmware" || start != 0x8000 || err != nil {
		t.Errorf("FromHex = %q, %#x, %v", data, start, err)
	}
	if data, _, err := image.FromHex([]byte(":00\n")); kindOf(t, err) != string(image.ErrBadHex) || data != nil {
		t.Errorf("FromHex of half a record = %q, %v, want kind %q", data, err, image.ErrBadHex)
	}
}

// TestHexBeyondTheAddresses holds that no address is cut to 32 bits.
func TestHexBeyondTheAddresses(t *testing.T) {
	u := mustBuild(t, []byte("firmware"), nil, image.BuildOptions{PadHeader: true})
	file, err := u.Attach(nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := u.Hex(file, 0xffffffff); kindOf(t, err) != string(image.ErrBadOption) || text != nil {
		t.Errorf("Hex = %d bytes, %v, want kind %q", len(text), err, image.ErrBadOption)
	}
}

// TestLoadNamesTheFile gives files that people mistake for images.
func TestLoadNamesTheFile(t *testing.T) {
	app := readFile(t, "../app-1.0.0.bin")
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	vectorTable := app[0x200:0x600]
	tests := []struct {
		name string
		file []byte
		kind image.Kind
		want string // in the error text
	}{
		{"empty", nil, image.ErrTruncated, "the file is empty"},
		{"zip", []byte("PK\x03\x04\x14\x00"), image.ErrBadMagic, "zip archive"},
		{"UF2", []byte("UF2\n\x57\x51\x5d\x9e"), image.ErrBadMagic, "UF2"},
		{"ELF", []byte("\x7fELF\x01\x01\x01"), image.ErrBadMagic, "ELF"},
		{"gzip", []byte("\x1f\x8b\x08\x00"), image.ErrBadMagic, "gzip"},
		{"S-record", []byte("S00600004844521B\n"), image.ErrBadMagic, "S-record"},
		{"key", readFile(t, "../app.pub.pem"), image.ErrBadMagic, "PEM"},
		{"erased", bytes.Repeat([]byte{0xff}, 4096), image.ErrBadMagic, "erased flash"},
		{"erased at the front", append(bytes.Repeat([]byte{0xff}, 16), 1), image.ErrBadMagic,
			"begins with erased flash"},
		{"all zero", make([]byte, 4096), image.ErrBadMagic, "all bytes are zero"},
		{"unsigned, no room for a header", vectorTable, image.ErrBadMagic, "unsigned firmware binary"},
		{"unsigned, room for a header", append(make([]byte, 0x200), vectorTable...), image.ErrBadMagic,
			"room for the header"},
		{"format of 2017", append([]byte{0x3c}, app[1:]...), image.ErrBadMagic, "0x96f3b83c"},
		{"big endian", []byte("\x96\xf3\xb8\x3d\x00\x00"), image.ErrBadMagic, "big-endian"},
		{"several images", []byte("\x1f\x00\xa1\x63img\x82"), image.ErrBadMagic, "dfu_multi_image"},
		{"text", []byte("hello"), image.ErrBadMagic, "begins with 68656c6c instead of 3db8f396"},
		{"Intel HEX of something else", toHex(t, vectorTable, 0x8000), image.ErrBadMagic,
			"Intel HEX data from 0x8000 on: not an MCUboot image"},
		{"broken Intel HEX", []byte(":00"), image.ErrBadHex, "line 1"},
	}
	if bytes.HasPrefix(self, []byte("\x7fELF")) {
		tests = append(tests, tests[3])
		tests[len(tests)-1].file = self
	}
	for _, tt := range tests {
		m, err := image.Load(tt.file)
		if got := kindOf(t, err); got != string(tt.kind) || m != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Load = %v, %q (%v), want nil, %q, a text with %q", tt.name, m, got, err, tt.kind, tt.want)
		}
	}
}

func TestLoadHex(t *testing.T) {
	app := readFile(t, "../app-1.0.0.bin")
	m, err := image.Load(toHex(t, app, 0x0800_c000))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Bytes(), app) {
		t.Error("the image from Intel HEX differs from the same image as .bin")
	}
}

func TestTrailer(t *testing.T) {
	magic8 := []byte("\x77\xc2\x95\xf3\x60\xd2\xef\x7f\x35\x52\x50\x0f\x2c\xb6\x79\x80")
	other := []byte("\x2d\xe1\x5d\x29\x41\x0b\x8d\x77\x67\x9c\x11\x0f\x1f\x8a")
	align := func(lo byte) []byte { return append([]byte{lo, 0}, other...) }
	// fill is as long as the widest trailer, with image_ok at a distance of the end.
	fill := func(magic []byte, imageOK int, value byte) []byte {
		b := bytes.Repeat([]byte{0xff}, 128)
		b[len(b)-imageOK] = value
		copy(b[len(b)-16:], magic)
		return b
	}
	tests := []struct {
		name   string
		behind []byte
		want   image.Trailer
		ok     bool
		warn   string
	}{
		{"none", nil, image.Trailer{}, false, ""},
		{"erased", bytes.Repeat([]byte{0xff}, 64), image.Trailer{}, false, "erased"},
		{"noise", []byte("noise that is not a trailer"), image.Trailer{}, false, "no padding"},
		{"test, 8", fill(magic8, 24, 0xff), image.Trailer{Align: 8}, true, "trial"},
		{"permanent, 8", fill(magic8, 24, 1), image.Trailer{Align: 8, ImageOK: true}, true, "permanent"},
		{"bad flag, 8", fill(magic8, 24, 3), image.Trailer{Align: 8}, true, "trial"},
		{"test, 16", fill(align(16), 24, 1), image.Trailer{Align: 16}, true, "trial"},
		{"permanent, 16", fill(align(16), 32, 1), image.Trailer{Align: 16, ImageOK: true}, true, "permanent"},
		{"permanent, 32", fill(align(32), 64, 1), image.Trailer{Align: 32, ImageOK: true}, true, "permanent"},
		{"alignment 8 in the other magic", fill(align(8), 24, 1), image.Trailer{}, false, "no padding"},
		{"alignment 33", fill(align(33), 24, 1), image.Trailer{}, false, "no padding"},
		{"magic alone", magic8, image.Trailer{Align: 8}, true, "trial"},
		{"part of the magic", magic8[1:], image.Trailer{}, false, "no padding"},
		{"magic not at the end", append(fill(magic8, 24, 1), 0xff), image.Trailer{}, false, "no padding"},
	}
	for _, tt := range tests {
		m := mustParse(t, parts{body: []byte("body"), behind: tt.behind}.hashed(image.TLVSHA256))
		got, ok := m.Trailer()
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: Trailer = %+v, %v, want %+v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
		warnings := strings.Join(m.Warnings(), "\n")
		if (warnings == "") != (tt.warn == "") || !strings.Contains(warnings, tt.warn) {
			t.Errorf("%s: Warnings = %q, want %q in it", tt.name, warnings, tt.warn)
		}
		if !bytes.Equal(append(bytes.Clone(m.Plain()), tt.behind...), m.Bytes()) || m.Size() != len(m.Plain()) {
			t.Errorf("%s: Plain() is not the file without what follows the image", tt.name)
		}
	}
}

// A magic right behind the image leaves no room for image_ok: what stands in its
// place belongs to the image.
func TestTrailerWithoutRoom(t *testing.T) {
	ones := image.TLV{Type: 0xa0, Value: bytes.Repeat([]byte{1}, 64)}
	magic := []byte("\x20\x00\x2d\xe1\x5d\x29\x41\x0b\x8d\x77\x67\x9c\x11\x0f\x1f\x8a")
	m := mustParse(t, parts{unprotected: []image.TLV{ones}, behind: magic}.hashed(image.TLVSHA256))
	if got, ok := m.Trailer(); !ok || got != (image.Trailer{Align: 32}) {
		t.Errorf("Trailer = %+v, %v, want alignment 32 and image_ok unset", got, ok)
	}
}

func TestWarnings(t *testing.T) {
	// The SHA-256 key hash of MCUboot's root-ec-p256.pem.
	sample := []byte("\xe3\x04\x66\xf6\xb8\x47\x0c\x1f\x29\x07\x0b\x17\xf1\xe2\xd3\xe9" +
		"\x4d\x44\x5e\x3f\x60\x80\x87\xfd\xc7\x11\xe4\x38\x2b\xb5\x38\xb6")
	tests := []struct {
		name    string
		entries []image.TLV
		want    []string // in each warning
	}{
		{"nothing", nil, nil},
		{"vendor TLV", []image.TLV{zeros(0xa0, 1)}, []string{"TLV 0x00a0 stands outside"}},
		{"key id", []image.TLV{zeros(0x03, 4)}, []string{"TLV 0x0003 stands outside"}},
		{"sample key", []image.TLV{{Type: image.TLVKeyHash, Value: sample}, zeros(image.TLVECDSASig, 70)},
			[]string{"root-ec-p256.pem"}},
		{"key without signature", []image.TLV{{Type: image.TLVKeyHash, Value: sample}}, nil},
	}
	for _, tt := range tests {
		got := mustParse(t, parts{unprotected: tt.entries}.hashed(image.TLVSHA256)).Warnings()
		same := len(got) == len(tt.want)
		for i := range got {
			same = same && strings.Contains(got[i], tt.want[i])
		}
		if !same {
			t.Errorf("%s: Warnings = %q, want %q", tt.name, got, tt.want)
		}
	}
}
