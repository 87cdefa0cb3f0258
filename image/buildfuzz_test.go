package image_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
)

// FuzzBuild holds that whatever is built parses, and says what was asked for.
func FuzzBuild(f *testing.F) {
	f.Add([]byte("firmware"), []byte{1, 2, 3, 0}, "SPE", "example.com", "sensor", uint32(0x200), uint32(0), uint32(7),
		uint8(0))
	f.Add([]byte{}, []byte{}, "", "", "", uint32(32), uint32(0x20000000), uint32(0), uint8(0xff))
	f.Add(make([]byte, 100), []byte{0xa0, 0, 3, 1, 2, 3, 0xa1, 1, 0}, "größer", "12345678-1234-5678-1234-567812345678",
		"", uint32(0), uint32(0), uint32(0), uint8(0x55))
	f.Fuzz(func(t *testing.T, body, custom []byte, record, vendor, class string, header, address, counter uint32,
		bits uint8) {
		o := image.BuildOptions{
			Version:    image.Version{Major: uint8(counter), Revision: uint16(address), Build: counter},
			HeaderSize: int(header % 70_000),
			PadHeader:  bits&1 == 0, NonBootable: bits&2 != 0, ErasedToZero: bits&4 != 0,
			BootRecord: record, VendorUUID: vendor, ClassUUID: class, CustomTLVs: customFrom(custom),
		}
		if bits&8 != 0 {
			o.SecurityCounter = &counter
		}
		if bits&16 != 0 {
			o.LoadAddr = address
		} else {
			o.ROMFixed = address
		}
		if bits&32 != 0 {
			o.SlotSize, o.Pad, o.MaxAlign = len(body)+100_000, image.Pad(1+bits>>6), 16
		}
		u, err := image.Build(body, nil, o)
		if kindOf(t, err) != "" {
			return
		}
		file, err := u.Attach(nil)
		if kindOf(t, err) != "" {
			return
		}
		checkBuilt(t, file, u, body, o)
	})
}

func checkBuilt(t *testing.T, file []byte, u *image.Unsigned, body []byte, o image.BuildOptions) {
	t.Helper()
	m := mustParse(t, file)
	if err := m.CheckHash(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Signed(), u.Payload()) || !bytes.Equal(m.Hash(), u.Digest()) || m.Header != u.Header() {
		t.Error("the file has not what was announced")
	}
	if !o.PadHeader {
		body = body[m.Header.HeaderSize:]
	}
	if !bytes.Equal(m.Body(), body) || m.Header.Version != o.Version {
		t.Error("another body or version")
	}
	counter, ok := m.SecurityCounter()
	if ok != (o.SecurityCounter != nil) || ok && counter != *o.SecurityCounter {
		t.Errorf("security counter %d, %t", counter, ok)
	}
	tail := m.Protected[len(m.Protected)-len(o.CustomTLVs):]
	if len(tail) > 0 && !cmp.Equal(tail, o.CustomTLVs) {
		t.Errorf("custom TLVs %v, want %v", tail, o.CustomTLVs)
	}
	if trailer, padded := m.Trailer(); padded != (o.Pad != image.NoPad) ||
		padded && trailer.ImageOK != (o.Pad == image.PadConfirm) {
		t.Errorf("trailer %v, %t, want %v", trailer, padded, o.Pad)
	}
	text, err := u.Hex(file, 0x1000)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := image.Load(text); err != nil || !bytes.Equal(again.Plain(), m.Plain()) {
		t.Errorf("through Intel HEX: %v", err)
	}
}

// customFrom reads entries from a fuzzer's bytes: type, length, value.
func customFrom(b []byte) []image.TLV {
	var list []image.TLV
	for len(b) >= 3 {
		n := min(int(b[2]), len(b)-3)
		list = append(list, image.TLV{Type: image.TLVType(binary.LittleEndian.Uint16(b)), Value: b[3 : 3+n]})
		b = b[3+n:]
	}
	return list
}
