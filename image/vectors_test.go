package image_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

const testdata = "../testdata/image"

// vectors is testdata/image/vectors.json, described in the README beside it.
type vectors struct {
	Keys []struct {
		Name, Type    string
		PublicPEM     string `json:"public_pem"`
		KeyHashSHA256 string `json:"keyhash_sha256"`
		KeyHashSHA384 string `json:"keyhash_sha384"`
		KeyHashSHA512 string `json:"keyhash_sha512"`
	}
	Images []imageVector
	Bad    []struct {
		File, Description string
		Key               *string
		ExpectError       *string  `json:"expect_error"`
		AlsoAcceptable    []string `json:"also_acceptable"`
		HostVerdict       string   `json:"host_verdict"`
	}
	External []struct {
		Name, Key, Image, Expect string
		EncryptionKey            string `json:"encryption_key"`
	}
}

type imageVector struct {
	File   string
	Header struct {
		LoadAddr    uint32   `json:"load_addr"`
		HdrSize     uint16   `json:"hdr_size"`
		ProtectSize uint16   `json:"protect_tlv_size"`
		ImgSize     uint32   `json:"img_size"`
		Flags       uint32   `json:"flags"`
		FlagNames   []string `json:"flag_names"`
		Version     string   `json:"version"`
	}
	ProtectedTLVs []tlvVector `json:"protected_tlvs"`
	TLVs          []tlvVector `json:"tlvs"`
	HashedLen     int         `json:"hashed_region_len"`
	TLVEnd        int         `json:"tlv_end"`
	Trailing      int         `json:"trailing_bytes"`
	ImageHash     string      `json:"image_hash"`
	ImageHashType string      `json:"image_hash_type"`
	Pure          bool        `json:"pure"`
	VerifiesWith  []string    `json:"verifies_with"`
	Trailer       *struct {
		MaxAlign int  `json:"max_align"`
		ImageOK  byte `json:"image_ok"`
	}
	Encryption *struct {
		Key        string
		Plaintext  string `json:"decrypted_payload_sha256"` // SHA-256
		Ciphertext bool   `json:"payload_ciphertext"`
	}
	IntelHex *hexVector `json:"intel_hex"`
}

// hexVector describes the parts of an Intel HEX file; a trailer is a part of its
// own at the end of the slot.
type hexVector struct {
	Base     uint32
	Segments []struct{ Start, End int }
	Trailer  string `json:"trailer_bytes_hex"`
}

type tlvVector struct {
	Type        uint16
	Name        string
	Hex         string
	ValueOffset int `json:"value_offset"`
}

func loadVectors(t testing.TB) vectors {
	t.Helper()
	var v vectors
	if err := json.Unmarshal(readFile(t, "vectors.json"), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readKey(t testing.TB, name string) crypto.PublicKey {
	t.Helper()
	pub, err := key.ParsePublic(readFile(t, "keys/"+name+".pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func mustLoad(t testing.TB, name string) *image.Image {
	t.Helper()
	m, err := image.Load(readFile(t, name))
	if err != nil {
		t.Fatalf("Load(%s): %v", name, err)
	}
	return m
}

// kindOf returns the label of an error, and "" for nil. An error of another type
// than the package promises fails the test.
func kindOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *image.Error
	if !errors.As(err, &e) {
		t.Fatalf("error of type %T (%v), want *image.Error", err, err)
	}
	if e.Detail == "" || !errors.Is(err, e.Kind) {
		t.Fatalf("error %#v: no detail, or errors.Is does not know its kind", e)
	}
	return string(e.Kind)
}

func TestVectorImages(t *testing.T) {
	all := loadVectors(t).Images
	if len(all) != 47 {
		t.Fatalf("%d images in vectors.json, want 47", len(all))
	}
	for _, v := range all {
		t.Run(filepath.Base(v.File), func(t *testing.T) {
			m := mustLoad(t, v.File)
			if got, want := describeImage(m), describeVector(t, v, m.Bytes()); !cmp.Equal(got, want) {
				t.Errorf("image differs (-got +want):\n%s", cmp.Diff(got, want))
			}
			if v.IntelHex == nil && !bytes.Equal(m.Bytes(), readFile(t, v.File)) {
				t.Error("Bytes() differs from the file")
			}
			if got := m.Header.Append(nil); !bytes.Equal(got, m.Bytes()[:len(got)]) {
				t.Errorf("Header.Append = %x, want %x", got, m.Bytes()[:len(got)])
			}
			wantHash := ""
			if v.Encryption != nil && v.Encryption.Ciphertext {
				wantHash = "encrypted"
			}
			if got := kindOf(t, m.CheckHash()); got != wantHash {
				t.Errorf("CheckHash = %q, want %q", got, wantHash)
			}
		})
	}
}

// imageFacts is everything that vectors.json and Image both know.
type imageFacts struct {
	Header          image.Header
	FlagNames       []string
	TLVs            []string
	Signed, Size    int
	Trailing        int
	Hash, HashType  string
	Pure, Encrypted bool
	Trailer         image.Trailer
	Trailed         bool
}

func describeImage(m *image.Image) imageFacts {
	f := imageFacts{
		Header: m.Header, FlagNames: m.Header.Flags.Names(),
		Signed: len(m.Signed()), Size: m.Size(), Trailing: len(m.Bytes()) - len(m.Plain()),
		Hash: hex.EncodeToString(m.Hash()), HashType: m.HashType().String(), Encrypted: m.Encrypted(),
	}
	for _, s := range m.Signatures() {
		f.Pure = f.Pure || s.Pure
	}
	for _, t := range slices.Concat(m.Protected, m.Unprotected) {
		f.TLVs = append(f.TLVs, fmt.Sprintf("%s %x", t.Type, t.Value))
	}
	f.Trailer, f.Trailed = m.Trailer()
	return f
}

func describeVector(t *testing.T, v imageVector, file []byte) imageFacts {
	t.Helper()
	version, err := image.ParseVersion(v.Header.Version)
	if err != nil {
		t.Fatal(err)
	}
	f := imageFacts{
		Header: image.Header{
			LoadAddr: v.Header.LoadAddr, HeaderSize: v.Header.HdrSize, ProtectedSize: v.Header.ProtectSize,
			ImageSize: v.Header.ImgSize, Flags: image.Flags(v.Header.Flags), Version: version,
		},
		Signed: v.HashedLen, Size: v.TLVEnd, Trailing: v.Trailing,
		Hash: v.ImageHash, HashType: v.ImageHashType, Pure: v.Pure, Encrypted: v.Encryption != nil,
	}
	if len(v.Header.FlagNames) > 0 {
		f.FlagNames = v.Header.FlagNames
	}
	for _, e := range slices.Concat(v.ProtectedTLVs, v.TLVs) {
		name := e.Name
		if name == "VENDOR" {
			name = fmt.Sprintf("0x%04x", e.Type)
		}
		f.TLVs = append(f.TLVs, name+" "+e.Hex)
		value, err := hex.DecodeString(e.Hex)
		if err != nil || !bytes.Equal(file[e.ValueOffset:e.ValueOffset+len(value)], value) {
			t.Errorf("vector of %s is not what the file has at %#x", name, e.ValueOffset)
		}
	}
	if v.Trailer != nil {
		f.Trailed, f.Trailer = true, image.Trailer{Align: v.Trailer.MaxAlign, ImageOK: v.Trailer.ImageOK == 1}
	}
	if h := v.IntelHex; h != nil {
		f.Trailing = h.Segments[len(h.Segments)-1].End - int(h.Base) - v.TLVEnd
		f.Trailed = h.Trailer != ""
		if f.Trailed {
			f.Trailer = image.Trailer{Align: 8, ImageOK: strings.HasPrefix(h.Trailer, "01")}
		}
	}
	return f
}

// TestVectorSignatures holds every image against every key.
func TestVectorSignatures(t *testing.T) {
	all := loadVectors(t)
	keys := map[string]crypto.PublicKey{}
	for _, k := range all.Keys {
		if k.Type != "x25519" {
			keys[k.Name] = readKey(t, k.Name)
		}
	}
	for _, v := range all.Images {
		m := mustLoad(t, v.File)
		for name, key := range keys {
			got := kindOf(t, m.Verify(key))
			switch {
			case !slices.Contains(v.VerifiesWith, name):
				if got == "" || got == "encrypted" {
					t.Errorf("%s: Verify(%s) = %q, want a refusal", v.File, name, got)
				}
				if len(v.VerifiesWith) == 0 && got != "no-signature" {
					t.Errorf("%s: Verify(%s) = %q, want no-signature", v.File, name, got)
				}
			case v.Encryption != nil && v.Encryption.Ciphertext:
				if got != "encrypted" {
					t.Errorf("%s: Verify(%s) = %q, want encrypted", v.File, name, got)
				}
			case got != "":
				t.Errorf("%s: Verify(%s) = %q, want success", v.File, name, got)
			}
		}
	}
}

func TestVectorBad(t *testing.T) {
	all := loadVectors(t).Bad
	if len(all) != 45 {
		t.Fatalf("%d bad images in vectors.json, want 45", len(all))
	}
	for _, v := range all {
		t.Run(filepath.Base(v.File), func(t *testing.T) {
			m, err := image.Load(readFile(t, v.File))
			if err == nil && v.Key != nil {
				err = m.Verify(readKey(t, *v.Key))
			}
			got := kindOf(t, err)
			if v.HostVerdict == "warn" {
				if got != "" || len(m.Warnings()) == 0 {
					t.Errorf("%s: error %q, want none but a warning", v.Description, got)
				}
				return
			}
			if want := append([]string{*v.ExpectError}, v.AlsoAcceptable...); !slices.Contains(want, got) {
				t.Errorf("%s: %q (%v), want one of %q", v.Description, got, err, want)
			}
		})
	}
}

// TestVectorExternal checks images whose signature was made outside imgtool and
// then embedded, right and wrong ones.
func TestVectorExternal(t *testing.T) {
	want := map[string]string{
		"neg-p256-raw-rs-not-der":           "signature-malformed",
		"neg-p256-signature-of-other-image": "signature-invalid",
		"neg-p256-double-hash":              "signature-invalid",
		"neg-p256-wrong-key":                "signature-invalid",
		"neg-rsa-mgf1-sha1":                 "signature-invalid",
		"neg-ed25519-payload-not-digest":    "signature-invalid",
		"neg-p256-empty":                    "bad-signature-length",
		"neg-p384-sha256":                   "signature-invalid",
		"neg-bootrecord-two-step":           "signature-invalid",
	}
	all := loadVectors(t).External
	if len(all) != 9+len(want) {
		t.Fatalf("%d entries in vectors.json, want 9 good and %d others", len(all), len(want))
	}
	for _, v := range all {
		m, err := image.Load(readFile(t, v.Image))
		if err == nil && v.EncryptionKey != "" {
			m, err = m.Decrypt(readDecryptionKey(t, v.EncryptionKey))
		}
		if err == nil {
			err = m.Verify(readKey(t, v.Key))
		}
		if got := kindOf(t, err); got != want[v.Name] {
			t.Errorf("%s: %q (%v), want %q; expected by the vectors: %s", v.Name, got, err, want[v.Name], v.Expect)
		}
	}
}
