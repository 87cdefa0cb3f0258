package image_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// recipe says how imgtool was called for a vector (the command in vectors.json).
type recipe struct {
	file string
	key  string // "": hash only
	o    image.BuildOptions
	room bool // the input had the room for the header already
}

func recipes() []recipe {
	v1234 := image.Version{Major: 1, Minor: 2, Revision: 3, Build: 4}
	// with completes what most of the commands have in common.
	with := func(o image.BuildOptions) image.BuildOptions {
		if o.Version == (image.Version{}) {
			o.Version = v1234
		}
		o.HeaderSize, o.PadHeader, o.SlotSize, o.Align = max(o.HeaderSize, 0x200), true, max(o.SlotSize, 0x8000),
			max(o.Align, 4)
		return o
	}
	slot := func(size int, o image.BuildOptions) image.BuildOptions {
		o = with(o)
		o.SlotSize = size
		return o
	}
	counter := func(n uint32) *uint32 { return &n }
	return []recipe{
		{file: "unsigned-sha256.bin", o: with(image.BuildOptions{})},
		{file: "unsigned-sha384.bin", o: with(image.BuildOptions{Sign: image.SignOptions{Hash: image.TLVSHA384}})},
		{file: "unsigned-sha512.bin", o: with(image.BuildOptions{Sign: image.SignOptions{Hash: image.TLVSHA512}})},
		{file: "rsa-2048.bin", key: "rsa-2048", o: with(image.BuildOptions{})},
		{file: "rsa-3072.bin", key: "rsa-3072", o: with(image.BuildOptions{})},
		{file: "ecdsa-p256.bin", key: "ecdsa-p256", o: with(image.BuildOptions{})},
		{file: "ecdsa-p384.bin", key: "ecdsa-p384", o: with(image.BuildOptions{})},
		{file: "ed25519-sha512.bin", key: "ed25519",
			o: with(image.BuildOptions{Sign: image.SignOptions{Hash: image.TLVSHA512}})},
		{file: "ed25519-pure-hdr0x800.bin", key: "ed25519",
			o: with(image.BuildOptions{Version: image.Version{Major: 2}, HeaderSize: 0x800, Align: 16,
				Sign: image.SignOptions{Pure: true}})},
		{file: "rsa-2048-fullpubkey.bin", key: "rsa-2048",
			o: with(image.BuildOptions{Sign: image.SignOptions{FullKey: true}})},
		{file: "ed25519-fullpubkey.bin", key: "ed25519",
			o: with(image.BuildOptions{Sign: image.SignOptions{FullKey: true}})},
		{file: "ecdsa-p256-padsig.bin", key: "ecdsa-p256",
			o: with(image.BuildOptions{Sign: image.SignOptions{PadSignature: true}})},
		{file: "other-ecdsa-p256.bin", key: "other-ecdsa-p256", o: with(image.BuildOptions{})},
		{file: "other-ed25519.bin", key: "other-ed25519", o: with(image.BuildOptions{})},
		{file: "hdr32.bin", key: "ecdsa-p256", o: image.BuildOptions{PadHeader: true, SlotSize: 0x8000, Align: 4}},
		{file: "zero-header-input.bin", key: "ecdsa-p256", room: true,
			o: image.BuildOptions{Version: v1234, HeaderSize: 0x200, SlotSize: 0x8000, Align: 4}},
		{file: "load-addr.bin", key: "ecdsa-p256", o: with(image.BuildOptions{LoadAddr: 0x20000000})},
		{file: "rom-fixed-slot1.bin", key: "ecdsa-p256", o: with(image.BuildOptions{ROMFixed: 0x82000})},
		{file: "prot-seccnt.bin", key: "ecdsa-p256", o: with(image.BuildOptions{SecurityCounter: counter(7)})},
		{file: "prot-seccnt-auto.bin", key: "ecdsa-p256",
			o: with(image.BuildOptions{SecurityCounter: counter(v1234.SecurityCounter())})},
		{file: "prot-bootrecord-p384.bin", key: "ecdsa-p384", o: with(image.BuildOptions{BootRecord: "NSPE"})},
		{file: "prot-custom.bin", key: "ed25519", o: with(image.BuildOptions{CustomTLVs: []image.TLV{
			{Type: 0xa0, Value: []byte{1, 2, 3, 4}}, {Type: 0x1a1, Value: []byte("hello")}, {Type: 0xfffe},
		}})},
		{file: "prot-uuid.bin", key: "ecdsa-p256",
			o: with(image.BuildOptions{VendorUUID: "example.com", ClassUUID: "sensor-v2"})},
		{file: "prot-uuid-raw.bin", key: "ecdsa-p256", o: with(image.BuildOptions{
			VendorUUID: "12345678-1234-5678-1234-567812345678", ClassUUID: "ffeeddccbbaa99887766554433221100",
		})},
		{file: "prot-all.bin", key: "rsa-2048", o: with(image.BuildOptions{
			SecurityCounter: counter(v1234.SecurityCounter()), BootRecord: "SPE", VendorUUID: "example.com",
			ClassUUID: "sensor-v2",
			Dependencies: []image.Dependency{{Image: 1,
				Minimum: image.Version{Major: 2, Minor: 3, Revision: 4, Build: 5}}},
			CustomTLVs: []image.TLV{{Type: 0xa0, Value: []byte{1, 2, 3, 4}}},
		})},
		{file: "pad-align4.bin", key: "ecdsa-p256", o: slot(0x4000, image.BuildOptions{Pad: image.PadOnly})},
		{file: "test-align4.bin", key: "ecdsa-p256", o: slot(0x4000, image.BuildOptions{Pad: image.PadTest})},
		{file: "confirm-align4.bin", key: "ecdsa-p256", o: slot(0x4000, image.BuildOptions{Pad: image.PadConfirm})},
		{file: "confirm-align16.bin", key: "ecdsa-p256",
			o: slot(0x4000, image.BuildOptions{Pad: image.PadConfirm, Align: 16})},
		{file: "confirm-align32.bin", key: "ecdsa-p256",
			o: slot(0x5000, image.BuildOptions{Pad: image.PadConfirm, Align: 32})},
		{file: "confirm-align4-maxalign16.bin", key: "ecdsa-p256",
			o: slot(0x4000, image.BuildOptions{Pad: image.PadConfirm, MaxAlign: 16})},
		{file: "confirm-overwrite-only.bin", key: "ecdsa-p256",
			o: slot(0x1800, image.BuildOptions{Pad: image.PadConfirm, OverwriteOnly: true})},
		{file: "comp-fallback.bin", key: "ed25519", o: with(image.BuildOptions{})},
		{file: "hex-to-hex.hex", key: "ecdsa-p256", o: with(image.BuildOptions{})},
		{file: "hex-confirm.hex", key: "ecdsa-p256", o: with(image.BuildOptions{Pad: image.PadConfirm})},
		{file: "hex-gap-to-bin.bin", key: "ecdsa-p256", o: with(image.BuildOptions{})},
		{file: "net-core.bin", key: "ecdsa-p256", o: with(image.BuildOptions{Version: image.Version{Major: 1}})},
	}
}

// TestBuildVectors builds every plain image again, with the signature that imgtool
// made, and wants its bytes.
func TestBuildVectors(t *testing.T) {
	for _, r := range recipes() {
		t.Run(r.file, func(t *testing.T) {
			want := mustLoad(t, "images/"+r.file)
			file, u := r.build(t, want)
			if got, want := u.Digest(), want.Hash(); !bytes.Equal(got, want) {
				t.Errorf("Digest() = %x, want %x", got, want)
			}
			if got, want := u.Payload(), want.Signed(); !bytes.Equal(got, want) {
				t.Errorf("Payload() has %d bytes, want %d", len(got), len(want))
			}
			if filepath.Ext(r.file) == ".hex" {
				r.checkHex(t, u, file)
			} else if !bytes.Equal(file, want.Bytes()) {
				t.Errorf("file differs:\n got %d bytes %x\nwant %d bytes %x",
					len(file), file[want.Size()-80:want.Size()], len(want.Bytes()),
					want.Bytes()[want.Size()-80:want.Size()])
			}
		})
	}
}

func (r recipe) build(t *testing.T, want *image.Image) ([]byte, *image.Unsigned) {
	t.Helper()
	body := want.Body()
	if r.room {
		body = append(make([]byte, r.o.HeaderSize), body...)
	}
	var sig []byte
	u, err := image.Build(body, nil, r.o)
	if r.key != "" {
		u, err = image.Build(body, readKey(t, r.key), r.o)
		sig = want.Signatures()[0].Value
	}
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	file, err := u.Attach(sig)
	if err != nil {
		t.Fatalf("Attach: %v", err)
	}
	return file, u
}

func (r recipe) checkHex(t *testing.T, u *image.Unsigned, file []byte) {
	t.Helper()
	want := readFile(t, "images/"+r.file)
	_, start, err := image.FromHex(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := u.Hex(file, start)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(string(want), "\r\n", "\n"); string(got) != want {
		t.Errorf("Hex() ends in\n%swant\n%s", got[len(got)-200:], want[len(want)-200:])
	}
}
