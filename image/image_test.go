package image_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
)

func TestParseRefuses(t *testing.T) {
	body := make([]byte, 64)
	with := func(unprotected ...image.TLV) []byte {
		return parts{body: body, unprotected: unprotected}.hashed(image.TLVSHA256)
	}
	flags := func(f image.Flags, unprotected ...image.TLV) []byte {
		return parts{header: image.Header{Flags: f}, body: body, unprotected: unprotected}.hashed(image.TLVSHA256)
	}
	good := with()
	tests := []struct {
		name string
		file []byte
		want image.Kind
	}{
		{"nothing", nil, image.ErrTruncated},
		{"half a magic", good[:2], image.ErrTruncated},
		{"magic only", good[:4], image.ErrTruncated},
		{"one byte of the header missing", good[:31], image.ErrTruncated},
		{"header only", good[:32], image.ErrTruncated},
		{"half a TLV header", good[:32+64+2], image.ErrTruncated},
		{"last byte missing", good[:len(good)-1], image.ErrTLVAreaOverrun},
		{"header size 31", parts{header: image.Header{HeaderSize: 31}, body: body}.bytes(), image.ErrBadHeaderSize},
		{"sizes overflow by the body", parts{header: image.Header{ImageSize: 0xffffffe0}}.bytes(),
			image.ErrSizeOverflow},
		{"sizes overflow by the protected area",
			parts{header: image.Header{ImageSize: 0xffffff00, ProtectedSize: 0x100}}.bytes(), image.ErrSizeOverflow},
		{"sizes just below overflow", parts{header: image.Header{ImageSize: 0xffffffdf}}.bytes(), image.ErrTruncated},
		{"protected area missing", parts{header: image.Header{ProtectedSize: 8}, body: body}.hashed(image.TLVSHA256),
			image.ErrProtTLVMissing},
		{"protected area not announced", append(parts{body: body}.signed(), 0x08, 0x69, 4, 0),
			image.ErrProtSizeMismatch},
		{"protected area of one byte",
			parts{header: image.Header{ProtectedSize: 1}, body: body,
				protected: []image.TLV{{}}}.hashed(image.TLVSHA256), image.ErrProtSizeMismatch},
		{"both AES flags", flags(0xc), image.ErrConflictingFlags},
		{"load address with two meanings", flags(image.FlagRAMLoad | image.FlagROMFixed), image.ErrConflictingFlags},
		{"short key hash", with(zeros(image.TLVKeyHash, 4)), image.ErrBadKeyHashLength},
		{"short Ed25519 signature", with(zeros(image.TLVEd25519, 63)), image.ErrBadSignatureLength},
		{"ECDSA signature beyond P-384", with(zeros(image.TLVECDSASig, 105)), image.ErrBadSignatureLength},
		{"empty SIG_PURE", with(zeros(image.TLVSigPure, 0)), image.ErrBadTLVLength},
		{"short protected counter",
			parts{body: body, protected: []image.TLV{zeros(image.TLVSecurityCounter, 2)}}.hashed(image.TLVSHA256),
			image.ErrBadTLVLength},
		{"short dependency",
			parts{body: body, protected: []image.TLV{zeros(image.TLVDependency, 11)}}.hashed(image.TLVSHA256),
			image.ErrBadTLVLength},
		{"long UUID", parts{body: body, protected: []image.TLV{zeros(image.TLVUUIDVendor, 17)}}.hashed(image.TLVSHA256),
			image.ErrBadTLVLength},
		{"encryption key in a plain image", with(zeros(image.TLVEncKW, 24)), image.ErrEncKeyConflict},
		{"two encryption keys",
			flags(image.FlagEncryptedAES128, zeros(image.TLVEncKW, 24), zeros(image.TLVEncEC256, 113)),
			image.ErrEncKeyConflict},
		{"128-bit key with the 256-bit flag", flags(image.FlagEncryptedAES256, zeros(image.TLVEncX25519, 80)),
			image.ErrBadEncTLVLength},
		{"256-bit key with the 128-bit flag", flags(image.FlagEncryptedAES128, zeros(image.TLVEncX25519, 96)),
			image.ErrBadEncTLVLength},
		{"RSA-3072 encryption key", flags(image.FlagEncryptedAES128, zeros(image.TLVEncRSA2048, 384)),
			image.ErrBadEncTLVLength},
		{"hash of the wrong type's length",
			parts{body: body, unprotected: []image.TLV{zeros(image.TLVSHA512, 32)}}.bytes(), image.ErrBadHashLength},
	}
	for _, typ := range []image.TLVType{0x40, 0x50, 0x60, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75} {
		length := map[image.TLVType]int{0x40: 12, 0x74: 16, 0x75: 16}[typ]
		if length == 0 {
			length = 4
		}
		tests = append(tests, struct {
			name string
			file []byte
			want image.Kind
		}{"unprotected " + typ.String(), with(zeros(typ, length)), image.ErrUnprotectedTLVNotAllowed})
	}
	for _, tt := range tests {
		m, err := image.Parse(tt.file)
		if got := kindOf(t, err); got != string(tt.want) || m != nil {
			t.Errorf("%s: Parse = %v, %q (%v), want nil, %q", tt.name, m, got, err, tt.want)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	body := []byte("body")
	seal := func(p parts) []byte { return p.hashed(image.TLVSHA256) }
	tests := []struct {
		name string
		file []byte
	}{
		{"empty body", seal(parts{})},
		{"unknown flags", seal(parts{body: body, header: image.Header{Flags: 0xf0000080}})},
		{"header padding up to the limit", seal(parts{body: body, header: image.Header{HeaderSize: 0xffff}})},
		{"bytes behind the image", seal(parts{body: body, behind: []byte{1}})},
		{"non-zero pad", seal(parts{body: body, header: image.Header{Pad: 7}})},
		{"hash in both sizes", parts{body: body}.hashed(image.TLVSHA256, image.TLVSHA512)},
		{"empty vendor TLV", seal(parts{body: body, protected: []image.TLV{zeros(0xfffe, 0)}})},
		{"encrypted, AES-256 in key wrap",
			seal(parts{body: body, header: image.Header{Flags: image.FlagEncryptedAES256},
				unprotected: []image.TLV{zeros(image.TLVEncKW, 40)}})},
	}
	for _, tt := range tests {
		m, err := image.Parse(tt.file)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err := m.CheckHash(); err != nil {
			t.Errorf("%s: CheckHash: %v", tt.name, err)
		}
		if !bytes.Equal(m.Bytes(), tt.file) {
			t.Errorf("%s: Bytes differs from the file", tt.name)
		}
	}
}

func TestParseKeepsACopy(t *testing.T) {
	file := parts{body: []byte("body")}.hashed(image.TLVSHA256)
	m := mustParse(t, file)
	clear(file)
	if err := m.CheckHash(); err != nil {
		t.Errorf("CheckHash after the caller reused its buffer: %v", err)
	}
}

// TestParseRefusesWithoutAllocating makes sure that a hostile header costs no
// memory, however large the file is.
func TestParseRefusesWithoutAllocating(t *testing.T) {
	big := parts{body: make([]byte, 16<<20)}.bytes()
	for name, file := range map[string][]byte{
		"size beyond the file": parts{header: image.Header{ImageSize: 0xfffffff0 - 32}}.bytes(),
		"area cut short":       big[:len(big)-1],
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := image.Parse(file)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; err == nil || got > 1<<16 {
			t.Errorf("%s: allocated %d bytes, error %v", name, got, err)
		}
	}
}

func TestAccessors(t *testing.T) {
	m := mustLoad(t, "images/prot-all.bin")
	type facts struct {
		Dependencies []image.Dependency
		Counter      uint32
		HasCounter   bool
		Signatures   []string
		Compressed   bool
		Body         int
	}
	got := facts{Dependencies: m.Dependencies(), Compressed: m.Compressed(), Body: len(m.Body())}
	got.Counter, got.HasCounter = m.SecurityCounter()
	for _, s := range m.Signatures() {
		got.Signatures = append(got.Signatures,
			s.Type.String()+" by "+s.Key.Type.String()+" "+hex.EncodeToString(s.Key.Value[:4]))
	}
	want := facts{
		Dependencies: []image.Dependency{{Image: 1, Minimum: image.Version{Major: 2, Minor: 3, Revision: 4, Build: 5}}},
		Counter:      0x01020003, HasCounter: true, Body: 4096, // imgtool's "auto": from version 1.2.3
		Signatures: []string{"RSA2048_PSS by KEYHASH 1312ccdb"},
	}
	if !cmp.Equal(got, want) {
		t.Errorf("prot-all.bin (-got +want):\n%s", cmp.Diff(got, want))
	}
	if got, want := m.FileHash(), sha256.Sum256(readFile(t, "images/prot-all.bin")); got != want {
		t.Errorf("FileHash = %x, want %x", got, want)
	}
	if !mustLoad(t, "images/comp-lzma2.bin").Compressed() {
		t.Error("comp-lzma2.bin: Compressed() = false, want true")
	}
	if n, ok := mustLoad(t, "images/ecdsa-p256.bin").SecurityCounter(); ok {
		t.Errorf("ecdsa-p256.bin: SecurityCounter = %d, want none", n)
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		flags image.Flags
		want  string
	}{
		{0, "0"},
		{0x1, "PIC"},
		{0xf37, "PIC|0x00000002|ENCRYPTED_AES128|NON_BOOTABLE|RAM_LOAD|ROM_FIXED|" +
			"COMPRESSED_LZMA1|COMPRESSED_LZMA2|COMPRESSED_ARM_THUMB"},
		{0x80000008, "ENCRYPTED_AES256|0x80000000"},
	} {
		if got := tt.flags.String(); got != tt.want {
			t.Errorf("Flags(%#x).String() = %q, want %q", uint32(tt.flags), got, tt.want)
		}
	}
}

// TestTLVTypeNames pins the numbers and names of MCUboot's image.h.
func TestTLVTypeNames(t *testing.T) {
	for typ, want := range map[image.TLVType]string{
		0x01: "KEYHASH", 0x02: "PUBKEY", 0x03: "0x0003", 0x10: "SHA256", 0x11: "SHA384", 0x12: "SHA512",
		0x20: "RSA2048_PSS", 0x21: "ECDSA224", 0x22: "ECDSA_SIG", 0x23: "RSA3072_PSS", 0x24: "ED25519",
		0x25: "SIG_PURE",
		0x30: "ENC_RSA2048", 0x31: "ENC_KW", 0x32: "ENC_EC256", 0x33: "ENC_X25519", 0x34: "ENC_X25519_SHA512",
		0x40: "DEPENDENCY", 0x50: "SEC_CNT", 0x60: "BOOT_RECORD", 0x70: "DECOMP_SIZE", 0x71: "DECOMP_SHA",
		0x72: "DECOMP_SIGNATURE", 0x73: "COMP_DEC_SIZE", 0x74: "UUID_VID", 0x75: "UUID_CID",
		0xa0: "0x00a0", 0x01a1: "0x01a1", 0xfffe: "0xfffe",
	} {
		if got := typ.String(); got != want {
			t.Errorf("TLVType(%#x).String() = %q, want %q", uint16(typ), got, want)
		}
	}
}
