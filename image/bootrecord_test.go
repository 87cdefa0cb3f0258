package image_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
)

func TestBootRecord(t *testing.T) {
	m := mustLoad(t, "images/prot-bootrecord-p384.bin")
	got, ok := m.BootRecord()
	want := image.BootRecord{
		SoftwareType: "NSPE", Version: "1.2.3", SignerID: m.Signatures()[0].Key.Value,
		HashType: "SHA384", Measurement: make([]byte, 48),
	}
	if !ok || !cmp.Equal(got, want) {
		t.Errorf("BootRecord, %v (-got +want):\n%s", ok, cmp.Diff(got, want))
	}
	if _, ok := mustLoad(t, "images/prot-seccnt.bin").BootRecord(); ok {
		t.Error("prot-seccnt.bin: a boot record, want none")
	}
}

// shortRecord is a boot record with values of one byte, in another order than
// imgtool's.
const shortRecord = "a5" + "0241aa" + "016142" + "046143" + "0541bb" + "066144"

func recordImage(t testing.TB, value []byte) *image.Image {
	t.Helper()
	return mustParse(t,
		parts{protected: []image.TLV{{Type: image.TLVBootRecord, Value: value}}}.hashed(image.TLVSHA256))
}

func TestBootRecordRefuses(t *testing.T) {
	record := func(digits string) (image.BootRecord, bool) {
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return recordImage(t, b).BootRecord()
	}
	if r, ok := record(shortRecord); !ok || r.SoftwareType != "B" || r.HashType != "D" ||
		!bytes.Equal(r.SignerID, []byte{0xbb}) {
		t.Errorf("BootRecord = %+v, %v, want one", r, ok)
	}
	for name, digits := range map[string]string{
		"empty":            "",
		"four fields":      "a4" + shortRecord[2:],
		"six fields":       "a6" + shortRecord[2:],
		"cut short":        shortRecord[:len(shortRecord)-2],
		"a byte too much":  shortRecord + "00",
		"field twice":      strings.Replace(shortRecord, "0661", "0461", 1),
		"unknown field":    strings.Replace(shortRecord, "0661", "0761", 1),
		"text for bytes":   strings.Replace(shortRecord, "0241aa", "026141", 1),
		"not UTF-8":        strings.Replace(shortRecord, "6144", "61ff", 1),
		"a number":         strings.Replace(shortRecord, "066144", "0600", 1),
		"indefinite":       "bf" + shortRecord[2:] + "ff",
		"a list":           "85" + shortRecord[2:],
		"length of 64 bit": "a5025bffffffffffffffff",
	} {
		if r, ok := record(digits); ok {
			t.Errorf("%s: BootRecord = %+v, want none", name, r)
		}
	}
}

func FuzzBootRecord(f *testing.F) {
	b, err := hex.DecodeString(shortRecord)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1000 {
			return
		}
		r, ok := recordImage(t, b).BootRecord()
		if n := len(r.SoftwareType) + len(r.Version) + len(r.SignerID) + len(r.HashType) + len(r.Measurement); ok &&
			n+11 > len(b) {
			t.Errorf("%d bytes out of a record of %d", n, len(b))
		}
	})
}
