package image_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

func TestBuildRefuses(t *testing.T) {
	body := make([]byte, 4096)
	type options = image.BuildOptions
	tests := []struct {
		name string
		key  string
		o    options
		want image.Kind
	}{
		{"a short header", "", options{HeaderSize: 31}, image.ErrBadOption},
		{"a long header", "", options{HeaderSize: 65536}, image.ErrBadOption},
		{"no room for the header", "", options{HeaderSize: 4097}, image.ErrBadOption},
		{"two addresses", "", options{LoadAddr: 1, ROMFixed: 1}, image.ErrBadOption},
		{"a negative slot", "", options{SlotSize: -1}, image.ErrBadOption},
		{"padding that no memory holds", "", options{SlotSize: 1 << 30, Pad: image.PadOnly}, image.ErrBadOption},
		{"padding to nowhere", "", options{Pad: image.PadOnly}, image.ErrBadOption},
		{"padding of no kind", "", options{Pad: 9, SlotSize: 8192}, image.ErrBadOption},
		{"a full slot", "", options{SlotSize: 4096 + 4 + 36 + 431}, image.ErrTooLarge},
		{"a full slot to overwrite", "", options{SlotSize: 4096 + 4 + 36 + 31, OverwriteOnly: true}, image.ErrTooLarge},
		{"alignment 3", "", options{Align: 3}, image.ErrBadOption},
		{"largest alignment 64", "", options{MaxAlign: 64}, image.ErrBadOption},
		{"-1 sectors", "", options{MaxSectors: -1}, image.ErrBadOption},
		{"a long boot record", "", options{BootRecord: "thirteen_char"}, image.ErrBadOption},
		{"a boot record of broken text", "", options{BootRecord: "\xff"}, image.ErrBadOption},
		{"a class without vendor", "", options{ClassUUID: "sensor"}, image.ErrBadOption},
		{"a vendor with a line feed", "", options{VendorUUID: "a\nb"}, image.ErrBadOption},
		{"a custom TLV of MCUboot's type", "", options{CustomTLVs: []image.TLV{{Type: 0x50}}}, image.ErrBadOption},
		{"the wildcard type", "", options{CustomTLVs: []image.TLV{{Type: 0xffff}}}, image.ErrBadOption},
		{"a custom TLV twice", "", options{CustomTLVs: []image.TLV{{Type: 0xa0}, {Type: 0xa0}}}, image.ErrBadOption},
		{"a custom TLV too long", "", options{CustomTLVs: []image.TLV{{Type: 0xa0, Value: make([]byte, 65532)}}},
			image.ErrTooLarge},
		{"pure without a key", "", options{Sign: image.SignOptions{Pure: true}}, image.ErrBadOption},
		{"pure with ECDSA", "ecdsa-p256", options{Sign: image.SignOptions{Pure: true}}, image.ErrBadOption},
		{"pure over SHA-256", "ed25519", options{Sign: image.SignOptions{Pure: true, Hash: image.TLVSHA256}},
			image.ErrBadOption},
		{"SHA-512 with P-256", "ecdsa-p256", options{Sign: image.SignOptions{Hash: image.TLVSHA512}},
			image.ErrBadOption},
		{"SHA-256 with P-384", "ecdsa-p384", options{Sign: image.SignOptions{Hash: image.TLVSHA256}},
			image.ErrBadOption},
		{"a hash that is none", "", options{Sign: image.SignOptions{Hash: image.TLVKeyHash}}, image.ErrBadOption},
		{"compression of no kind", "", options{Compression: 3}, image.ErrBadOption},
		{"compression with one signature", "ed25519", options{Compression: image.CompressLZMA2}, image.ErrBadOption},
		{"encryption for a signing key", "", options{Encrypt: &image.Encryption{To: readKey(t, "ed25519")}},
			image.ErrBadKey},
		{"AES-192", "", options{Encrypt: &image.Encryption{To: readKey(t, "enc-ecdsa-p256"), Bits: 192}},
			image.ErrBadKey},
	}
	for _, tt := range tests {
		var pub crypto.PublicKey
		if tt.key != "" {
			pub = readKey(t, tt.key)
		}
		u, err := image.Build(body, pub, tt.o)
		if got := kindOf(t, err); got != string(tt.want) || u != nil {
			t.Errorf("%s: Build = %t, %q (%v), want no image, %q", tt.name, u != nil, got, err, tt.want)
		}
	}
	if _, err := image.Build([]byte("\x00no room"), nil, image.BuildOptions{}); kindOf(t, err) != "bad-option" {
		t.Errorf("an input without room for the header: %v, want bad-option", err)
	}
}

// TestBuildFits holds that an image that takes the slot to the last byte is built.
func TestBuildFits(t *testing.T) {
	for _, o := range []image.BuildOptions{
		{SlotSize: 32 + 4096 + 4 + 36 + 432},
		{SlotSize: 32 + 4096 + 4 + 36 + 32, OverwriteOnly: true},
		{SlotSize: 32 + 4096 + 4 + 36 + 12448, Align: 32},
	} {
		o.PadHeader, o.Pad = true, image.PadConfirm
		file, err := mustBuild(t, make([]byte, 4096), nil, o).Attach(nil)
		if err != nil || len(file) != o.SlotSize {
			t.Errorf("slot of %d: %d bytes, %v", o.SlotSize, len(file), err)
		}
		o.SlotSize--
		if _, err := image.Build(make([]byte, 4096), nil, o); kindOf(t, err) != "too-large" {
			t.Errorf("slot of %d: %v, want too-large", o.SlotSize, err)
		}
	}
}

// TestTrailerSize holds the room for the trailer against imgtool's numbers; with
// AES-256 it is what the bootloader needs, which is more.
func TestTrailerSize(t *testing.T) {
	to := readKey(t, "enc-ecdsa-p256")
	tests := []struct {
		o    image.BuildOptions
		want int
	}{
		{image.BuildOptions{}, 432},
		{image.BuildOptions{Align: 4}, 1584},
		{image.BuildOptions{Align: 8}, 3120},
		{image.BuildOptions{Align: 16}, 6224},
		{image.BuildOptions{Align: 32}, 12448},
		{image.BuildOptions{MaxAlign: 32}, 384 + 128 + 32},
		{image.BuildOptions{MaxSectors: 1}, 3 + 32 + 16},
		{image.BuildOptions{OverwriteOnly: true, Align: 32}, 96},
		{image.BuildOptions{Encrypt: &image.Encryption{To: to}}, 432 + 32},
		{image.BuildOptions{Encrypt: &image.Encryption{To: to, Bits: 256}}, 432 + 64},
		{image.BuildOptions{Encrypt: &image.Encryption{To: to, SaveEntry: true}}, 432 + 2*120},
		{image.BuildOptions{Encrypt: &image.Encryption{To: to, Bits: 256, SaveEntry: true}}, 432 + 2*136},
	}
	for _, tt := range tests {
		tt.o.PadHeader = true
		file, err := mustBuild(t, make([]byte, 96), nil, tt.o).Attach(nil)
		if err != nil {
			t.Fatal(err)
		}
		tt.o.SlotSize = len(file) + tt.want
		if _, err := image.Build(make([]byte, 96), nil, tt.o); err != nil {
			t.Errorf("%+v: a trailer of %d does not fit: %v", tt.o, tt.want, err)
		}
		tt.o.SlotSize--
		if _, err := image.Build(make([]byte, 96), nil, tt.o); kindOf(t, err) != "too-large" {
			t.Errorf("%+v: a trailer of %d fits", tt.o, tt.want-1)
		}
	}
}

// TestBuildEncrypted builds for every kind of device key, decrypts and compares.
func TestBuildEncrypted(t *testing.T) {
	signer := readPrivate(t, "ed25519")
	body := bytes.Repeat([]byte("firmware "), 111) // 999 bytes: to be padded
	for _, name := range []string{"enc-rsa-2048", "enc-ecdsa-p256", "enc-x25519"} {
		to, err := key.ParseEncryption(readFile(t, "keys/"+name+".pub.pem"))
		if err != nil {
			t.Fatal(err)
		}
		device, err := key.ParseDecryption(readFile(t, "keys/"+name+".pem"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []image.Encryption{{}, {Bits: 256}, {Clear: true}, {SHA512: true, Bits: 256}} {
			if e.SHA512 && name != "enc-x25519" {
				continue
			}
			e.To = to
			u := mustBuild(t, body, signer.Public(), image.BuildOptions{PadHeader: true, Encrypt: &e})
			m := mustSign(t, u, signer)
			if plain := bytes.Contains(m.Bytes(), []byte("firmware")); plain != e.Clear {
				t.Errorf("%s %+v: body in plaintext %v, want %v", name, e, plain, e.Clear)
			}
			plain, err := m.Decrypt(device)
			if err != nil {
				t.Errorf("%s %+v: %v", name, e, err)
				continue
			}
			if err := plain.Verify(signer.Public()); err != nil || !bytes.Equal(plain.Signed(), u.Payload()) {
				t.Errorf("%s %+v: decrypted: %v", name, e, err)
			}
		}
	}
}

// TestBuildCompressed holds that a compressed image becomes the plain one, and
// that nothing is compressed that does not shrink.
func TestBuildCompressed(t *testing.T) {
	signer := readPrivate(t, "ecdsa-p256")
	body := bytes.Repeat([]byte("\x70\x47\x00\xf0\x01\xf8firmware"), 200)
	o := image.BuildOptions{PadHeader: true, NonBootable: true, Compression: image.CompressLZMA2ARMThumb}
	calls := 0
	o.SignPlain = func(u *image.Unsigned) ([]byte, error) {
		calls++
		return image.Sign(u, signer, rand.Reader)
	}
	u := mustBuild(t, body, signer.Public(), o)
	m := mustSign(t, u, signer)
	if err := m.Verify(signer.Public()); err != nil || !m.Compressed() || m.Size() > len(body)/2 || calls != 1 {
		t.Errorf("compressed: %v, flags %s, %d bytes, %d signatures before", err, m.Header.Flags, m.Size(), calls)
	}
	if m.Header.Flags&image.FlagNonBootable == 0 {
		t.Error("compressed: no longer marked as non-bootable")
	}
	plain, err := m.Decompress()
	if err != nil || !bytes.Equal(plain.Body(), body) {
		t.Errorf("decompressed: %v", err)
	}
	dense := make([]byte, 500)
	rand.Read(dense)
	if m := mustSign(t, mustBuild(t, dense, signer.Public(), o), signer); m.Compressed() ||
		!bytes.Equal(m.Body(), dense) {
		t.Errorf("what does not shrink: flags %s", m.Header.Flags)
	}
	to := readKey(t, "enc-ecdsa-p256")
	o.Encrypt = &image.Encryption{To: to}
	m = mustSign(t, mustBuild(t, dense, signer.Public(), o), signer)
	if err := m.Verify(signer.Public()); !m.Encrypted() || kindOf(t, err) != "encrypted" {
		t.Errorf("encrypted, and does not shrink: %v, flags %s", err, m.Header.Flags)
	}
	o.SignPlain = nil
	if m, err := mustBuild(t, body, nil, o).Attach(nil); err != nil || len(m) > len(body) {
		t.Errorf("without a key: %d bytes, %v", len(m), err)
	}
}
