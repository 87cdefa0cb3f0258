package inspect

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/image"
)

func TestInspectHex(t *testing.T) {
	data, err := os.ReadFile("../../../../testdata/app-2.0.0.bin")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin, hex := filepath.Join(dir, "app.bin"), filepath.Join(dir, "app.hex")
	if err := os.WriteFile(bin, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hex, intelHex(0x00020000, data), 0o600); err != nil {
		t.Fatal(err)
	}
	fromBin, err := inspect(t.Context(), &app.App{}, bin)
	if err != nil {
		t.Fatal(err)
	}
	fromHex, err := inspect(t.Context(), &app.App{}, hex)
	if err != nil {
		t.Fatal(err)
	}
	want := fromBin.(inspection)
	address := uint32(0x00020000)
	text, err := os.ReadFile(hex)
	if err != nil {
		t.Fatal(err)
	}
	size := len(data)
	want.File, want.Format, want.Address, want.ContentSize = hex, "hex", &address, &size
	want.FileSize, want.FileSHA256 = len(text), fmt.Sprintf("%x", sha256.Sum256(text)) // as sha256sum shows it
	if diff := cmp.Diff(want, fromHex, cmp.AllowUnexported(inspection{})); diff != "" {
		t.Errorf("Intel HEX (-want +got):\n%s", diff)
	}
}

// intelHex writes Intel HEX records of 16 bytes.
func intelHex(address int, data []byte) []byte {
	var b bytes.Buffer
	record := func(kind byte, at int, payload []byte) {
		line := append([]byte{byte(len(payload)), byte(at >> 8), byte(at), kind}, payload...)
		sum := byte(0)
		for _, c := range line {
			sum += c
		}
		fmt.Fprintf(&b, ":%X%02X\n", line, -sum)
	}
	for off := 0; off < len(data); off += 16 {
		if at := address + off; off == 0 || at%0x10000 == 0 {
			record(4, 0, []byte{byte(at >> 24), byte(at >> 16)})
		}
		record(0, (address+off)&0xffff, data[off:min(off+16, len(data))])
	}
	record(1, 0, nil)
	return b.Bytes()
}

// TestInspectEverything inspects every image of the test data, good and bad, in both forms of output. A file is shown
// or refused as an image; the result never claims more than the hash says.
func TestInspectEverything(t *testing.T) {
	shown, refused := 0, 0
	for _, pattern := range []string{"images/*.*", "bad/*.bin", "external/*/*.bin", "external/*.bin", "sealed/*.bin"} {
		paths, err := filepath.Glob("../../../../testdata/image/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				text, doc := clitest.RunTree(t, clitest.TreeOf(Commands), "inspect", path),
					clitest.RunTree(t, clitest.TreeOf(Commands), "inspect", path, "--json")
				if text.Code != doc.Code || text.Code != 0 && text.Code != 6 {
					t.Fatalf("got exit codes %d and %d, want 0 or 6: %s", text.Code, doc.Code, text.Err)
				}
				if doc.Out == "" {
					refused++
					if doc.Code != 6 || text.Out != "" {
						t.Errorf("nothing shown, but exit code %d and the text %q", doc.Code, text.Out)
					}
					return
				}
				shown++
				var r inspection
				if err := json.Unmarshal([]byte(doc.Out), &r); err != nil {
					t.Fatal(err)
				}
				broken := r.HashCheck == hashDiffers || r.Compression != nil && r.Compression.Check == decompFails
				if broken != (doc.Code == 6) || broken != strings.Contains(text.Out, "DOES NOT FIT") {
					t.Errorf("hash check %q, exit code %d, text\n%s", r.HashCheck, doc.Code, text.Out)
				}
				if r.Hash == "" || len(r.TLVs) == 0 || !strings.Contains(text.Out, r.Hash) {
					t.Errorf("no hash or no entries in %s", doc.Out)
				}
			})
		}
	}
	if shown < 30 || refused < 10 {
		t.Errorf("%d images shown, %d refused: the test data is incomplete", shown, refused)
	}
}

// TestInspectDetails looks at one value of each optional kind.
func TestInspectDetails(t *testing.T) {
	tests := []struct {
		file string
		want []string
	}{
		{"prot-all.bin", []string{`"area":"protected"`, `"security_counter":`, `"dependencies":[{"image":`}},
		{"confirm-align16.bin", []string{`"trailer":{"align_bytes":16,"confirmed":true}`}},
		{"test-align4.bin", []string{`"confirmed":false}`}},
		{"enc-ec256-aes128.bin", []string{`"encrypted":true`, `"hash_check":"encrypted"`}},
		{"comp-lzma2.bin", []string{`"compressed":true`}},
		{"ed25519-pure-hdr0x800.bin", []string{`"type":"ED25519"`, `"pure":true`, `"header_bytes":2048`}},
		{"rsa-2048-fullpubkey.bin", []string{`"public_key":"30`}},
		{"two-signatures.bin", []string{`"signatures":[{"type":"`, `},{"type":"`}},
		{"unsigned-sha256.bin", []string{`"signatures":[],"dependencies":[],`}},
		{"load-addr.bin", []string{`"flags":["RAM_LOAD"],"flag_bits":32`}},
		{"hex-confirm.hex", []string{`"format":"hex","address":`}},
		{"enc-x25519-clear.bin",
			[]string{`"encryption":{"scheme":"ENC_X25519","aes_bits":128,"plain":true}`, `"hash_check":"ok"`}},
		{"enc-x25519-sha512-aes256.bin",
			[]string{`"encryption":{"scheme":"ENC_X25519_SHA512","aes_bits":256,"plain":false}`}},
		{"comp-lzma2-armthumb.bin",
			[]string{`"compression":{"format":"LZMA2","arm_thumb":true,"bytes":8410,"hash":"6a2b6657`,
				`","check":"ok"}`}},
		{"prot-bootrecord-p384.bin",
			[]string{`"boot_record":{"software_type":"NSPE","version":"1.2.3","signer_id":"898f0cbc`,
				`"hash_type":"SHA384"`}},
		{"prot-uuid-raw.bin", []string{`"vendor_uuid":"`, `"class_uuid":"`}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			got := clitest.RunTree(t, clitest.TreeOf(Commands), "inspect", "../../../../testdata/image/images/"+tt.file,
				"--json")
			for _, want := range tt.want {
				if got.Code != 0 || !strings.Contains(got.Out, want) {
					t.Errorf("got %d, %.2000s, want %s in it", got.Code, got.Out, want)
				}
			}
		})
	}
}

// TestInspectHoldsTheFileTwice bounds the memory for a large image: once as it is read, once in the image.
func TestInspectHoldsTheFileTwice(t *testing.T) {
	const body = 8 << 20
	h := image.Header{HeaderSize: 32, ImageSize: body}
	data := append(h.Append(nil), make([]byte, body)...)
	sum := sha256.Sum256(data)
	data = append(data, 0x07, 0x69, 40, 0, 0x10, 0, 32, 0)
	path := filepath.Join(t.TempDir(), "app.bin")
	if err := os.WriteFile(path, append(data, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := inspect(t.Context(), &app.App{}, path)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err != nil || r.(inspection).HashCheck != hashFits ||
		got > 2*body+1<<20 {
		t.Errorf("an image of %d bytes: %d bytes allocated, %v", body, got, err)
	}
}
