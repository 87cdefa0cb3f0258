package transport_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// vector is one case of testdata/frame; the README there explains the format.
type vector struct {
	name    string
	wire    []byte
	text    []byte
	packets [][]byte
	foreign []byte
}

// readVectors reads testdata/frame/name.
func readVectors(t testing.TB, name string) []vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "frame", name))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	for i, line := range strings.Split(string(data), "\n") {
		key, value, _ := strings.Cut(line, " ")
		if key == "" || key == "#" {
			continue
		}
		if key == "name" {
			vectors = append(vectors, vector{name: value})
			continue
		}
		if err := vectors[len(vectors)-1].set(key, value); err != nil {
			t.Fatalf("%s:%d: %v", name, i+1, err)
		}
	}
	if len(vectors) == 0 {
		t.Fatalf("%s: no vectors", name)
	}
	return vectors
}

func (v *vector) set(key, value string) error {
	switch key {
	case "line", "text":
		s, err := strconv.Unquote(value)
		v.wire = append(v.wire, s...)
		if key == "text" {
			v.text = append(v.text, s...)
		}
		return err
	case "packet":
		p, err := hex.DecodeString(value)
		v.packets = append(v.packets, p)
		return err
	case "foreign":
		p, err := hex.DecodeString(value)
		v.foreign = p
		return err
	}
	return fmt.Errorf("unknown key %q", key)
}

func TestAppendFrameVectors(t *testing.T) {
	for _, v := range readVectors(t, "computed.txt") {
		t.Run(v.name, func(t *testing.T) {
			var got []byte
			for _, p := range append(v.packets, v.foreign) {
				if p != nil {
					got = transport.AppendFrame(got, p, 0)
				}
			}
			if diff := cmp.Diff(string(v.wire), string(got)); diff != "" {
				t.Errorf("AppendFrame, -want +got:\n%s", diff)
			}
		})
	}
}

func TestAppendFrameLineLengths(t *testing.T) {
	tests := []struct {
		name    string
		packet  int // bytes
		lineLen int
		want    []int // length of each line
	}{
		{"default", 113, 0, []int{127, 35}},
		{"the default by number", 113, transport.DefaultLineLength, []int{127, 35}},
		{"no whole base64 group more", 113, 130, []int{127, 35}},
		{"one base64 group more", 113, 131, []int{131, 31}},
		{"just one line", 89, 0, []int{127}},
		{"just over one line", 90, 0, []int{127, 7}},
		{"just two lines", 182, 0, []int{127, 127}},
		{"just over two lines", 183, 0, []int{127, 127, 7}},
		{"one long line", 380, 4096, []int{515}},
		{"smallest packet", 8, 0, []int{19}},
		{"shortest lines", 8, 7, []int{7, 7, 7, 7}},
		{"less than the shortest", 8, 1, []int{7, 7, 7, 7}},
		{"negative", 8, -5, []int{7, 7, 7, 7}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frame := transport.AppendFrame(nil, makePacket(test.packet), test.lineLen)
			var got []int
			for line := range bytes.Lines(frame) {
				got = append(got, len(line))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("lines of %d bytes with line length %d, -want +got:\n%s", test.packet, test.lineLen, diff)
			}
		})
	}
}

// TestAppendFrameFormat takes frames apart without the decoder.
func TestAppendFrameFormat(t *testing.T) {
	for _, lineLen := range []int{0, 7, 8, 11, 63, 64, 99, 100, 127, 128, 129, 256, 512, 4096} {
		for size := range 400 {
			packet := makePacket(size)
			frame := transport.AppendFrame(nil, packet, lineLen)
			raw, err := unframe(frame, lineLen)
			if err != nil {
				t.Fatalf("packet of %d bytes, line length %d: %v", size, lineLen, err)
			}
			want := binary.BigEndian.AppendUint16(nil, uint16(size+2))
			want = append(want, packet...)
			want = binary.BigEndian.AppendUint16(want, crcXMODEM(packet))
			if !bytes.Equal(raw, want) {
				t.Fatalf("packet of %d bytes, line length %d: frame holds\n%x, want\n%x", size, lineLen, raw, want)
			}
			if got := transport.FrameLen(size, lineLen); got != len(frame) {
				t.Fatalf("FrameLen(%d, %d) = %d, want %d", size, lineLen, got, len(frame))
			}
		}
	}
}

// unframe checks the lines of a frame and returns what they hold.
func unframe(frame []byte, lineLen int) (raw []byte, err error) {
	if lineLen == 0 {
		lineLen = 127
	}
	marker := "\x06\x09"
	for line := range strings.Lines(string(frame)) {
		if len(line) > max(lineLen, 7) {
			return nil, fmt.Errorf("line of %d bytes", len(line))
		}
		body, marked := strings.CutPrefix(line, marker)
		body, ended := strings.CutSuffix(body, "\n")
		if !marked || !ended {
			return nil, fmt.Errorf("line %q, want marker %q and newline", line, marker)
		}
		// Strict: whole groups, padding where it belongs, no \r.
		decoded, err := base64.StdEncoding.Strict().DecodeString(body)
		if err != nil || strings.ContainsAny(body, "\r\n") {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		raw = append(raw, decoded...)
		marker = "\x04\x14"
	}
	return raw, nil
}

func TestCRCOfTheTests(t *testing.T) {
	// The check value of CRC-16/XMODEM in the catalogue of parametrised CRCs.
	if got := crcXMODEM([]byte("123456789")); got != 0x31c3 {
		t.Errorf("crcXMODEM = %04x, want 31c3", got)
	}
}

func TestAppendFrameKeepsWhatIsThere(t *testing.T) {
	packet := makePacket(200)
	before := bytes.Clone(packet)
	frame := transport.AppendFrame(nil, packet, 0)

	dst := make([]byte, 3, 3+len(frame))
	copy(dst, "abc")
	got := transport.AppendFrame(dst, packet, 0)
	if want := "abc" + string(frame); string(got) != want {
		t.Errorf("AppendFrame behind abc = %q, want %q", got, want)
	}
	if &got[0] != &dst[0] {
		t.Error("AppendFrame moved a slice that had room")
	}
	if !bytes.Equal(packet, before) {
		t.Error("AppendFrame changed the packet")
	}
}

func TestAppendFrameDoesNotAllocate(t *testing.T) {
	packet := makePacket(2044)
	dst := make([]byte, 0, transport.FrameLen(len(packet), 0))
	allocs := testing.AllocsPerRun(100, func() { transport.AppendFrame(dst, packet, 0) })
	if allocs != 0 {
		t.Errorf("AppendFrame with room: %v allocations, want 0", allocs)
	}
}

func TestAppendFrameLargest(t *testing.T) {
	packet := makePacket(transport.MaxFramed)
	frame := transport.AppendFrame(nil, packet, 0)
	if got := transport.FrameLen(len(packet), 0); got != len(frame) {
		t.Errorf("FrameLen(MaxFramed) = %d, want %d", got, len(frame))
	}
	got := decode(&transport.Decoder{}, frame, 1000)
	if len(got.packets) != 1 || got.packets[0] != hex.EncodeToString(packet) {
		t.Errorf("decoding a packet of MaxFramed bytes gives %d packets, want it back", len(got.packets))
	}

	defer func() {
		if recover() == nil {
			t.Error("AppendFrame of MaxFramed+1 bytes does not panic")
		}
	}()
	transport.AppendFrame(nil, makePacket(transport.MaxFramed+1), 0)
}

// makePacket returns a packet of size bytes whose header, if it has one, says so.
func makePacket(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i * 7)
	}
	if size >= 8 {
		copy(p, []byte{0x0b, 0, 0, 0, 0, 1, 0x42, 1})
		binary.BigEndian.PutUint16(p[2:], uint16(size-8))
	}
	return p
}

// crcXMODEM is CRC-16/XMODEM bit by bit, as a second implementation.
func crcXMODEM(p []byte) uint16 {
	var crc uint16
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
