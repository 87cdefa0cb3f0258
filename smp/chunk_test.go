package smp

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

var testSHA = bytes.Repeat([]byte{0xab}, 32)

// encodedLen is the size of the packet with this chunk.
func encodedLen(t *testing.T, b *chunkBuilder, data []byte, c chunk) int {
	t.Helper()
	buf := bytes.NewBuffer(make([]byte, 0, 8192))
	if err := appendCBOR(buf, b.request(data, c)); err != nil {
		t.Fatal(err)
	}
	return HeaderLen + buf.Len()
}

// Packets fill the device's buffer to the byte, whatever the buffer and the keys are.
func TestChunksFillThePacket(t *testing.T) {
	data := make([]byte, 80_000)
	tests := []struct {
		name    string
		builder chunkBuilder
		step    int // between buffer sizes; coprime to 8, so that all remainders come
	}{
		{"plain", chunkBuilder{}, 1},
		{"upgrade", chunkBuilder{upgrade: true}, 5},
		{"image 1", chunkBuilder{image: 1}, 5},
		{"image 1, upgrade", chunkBuilder{image: 1, upgrade: true}, 5},
		{"image 24 in every chunk", chunkBuilder{image: 24, everyChunk: true}, 5},
		{"image 1 in every chunk, upgrade", chunkBuilder{image: 1, everyChunk: true, upgrade: true}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for limit := 64; limit <= 4100; limit += tt.step {
				b := tt.builder
				b.limit, b.size, b.sha = limit, len(data), testSHA
				if !b.possible() {
					if limit >= 96 {
						t.Errorf("no chunk possible in %d bytes", limit)
					}
					continue
				}
				for _, off := range []int{0, 23, 255, 256, 65535, 65536} {
					checkRoom(t, b, data, off)
					checkEnd(t, b, data, off)
				}
			}
		})
	}
}

// checkRoom fails the test unless the packet takes as many bytes of data as room says, and not one more.
func checkRoom(t *testing.T, b chunkBuilder, data []byte, off int) {
	t.Helper()
	sha := off == 0 && b.room(0, true) >= minFirstChunk
	n := b.room(off, sha)
	if got := encodedLen(t, &b, data, chunk{off: off, end: off + n}); got > b.limit || b.sentSHA != sha {
		t.Errorf("limit %d, offset %d: packet of %d bytes with %d of data, hash %v", b.limit, off, got, n, b.sentSHA)
	}
	if off > 0 || !sha { // one byte more would drop the hash
		if got := encodedLen(t, &b, data, chunk{off: off, end: off + n + 1}); got <= b.limit {
			t.Errorf("limit %d, offset %d: %d bytes of data, but %d fit too, in %d", b.limit, off, n, n+1, got)
		}
		return
	}
	whole := *b.request(data, chunk{off: off, end: off + n})
	whole.Data = data[:n+1]
	var buf bytes.Buffer
	if err := appendCBOR(&buf, &whole); err != nil || HeaderLen+buf.Len() <= b.limit {
		t.Errorf("limit %d: %d bytes of data in the first chunk, but %d fit too (%v)", b.limit, n, n+1, err)
	}
}

// checkEnd fails the test unless the chunk at off fits, is as long as the alignment lets it be, and starts an image.
func checkEnd(t *testing.T, b chunkBuilder, data []byte, off int) {
	t.Helper()
	end := b.end(off)
	if got := encodedLen(t, &b, data, chunk{off: off, end: end}); got > b.limit {
		t.Errorf("limit %d, offset %d: packet of %d bytes", b.limit, off, got)
	}
	room := b.room(off, off == 0 && b.sentSHA)
	switch {
	case off == 0 && end < minFirstChunk:
		t.Errorf("limit %d: first chunk of %d bytes", b.limit, end)
	case end%chunkAlign != 0 && off+room >= off-off%chunkAlign+chunkAlign:
		t.Errorf("limit %d, offset %d: chunk ends at %d, not aligned, with room for %d", b.limit, off, end, room)
	case end-off > room || off+room-end >= chunkAlign:
		t.Errorf("limit %d, offset %d: chunk ends at %d, with room for %d", b.limit, off, end, room)
	}
}

// What fits the packets of common buffer sizes over console framing, counted by hand: 61 bytes around the data of a
// first chunk with image number and hash, 18 around that of a chunk beyond 64 KiB, besides the header and the heads of
// strings.
func TestChunkSizes(t *testing.T) {
	for _, tt := range []struct{ buffer, first, later int }{
		{256, 177, 227}, {384, 304, 354}, {512, 432, 482}, {1024, 944, 994}, {2048, 1968, 2018}, {4096, 4016, 4066},
	} {
		b := chunkBuilder{limit: tt.buffer - 4, size: 100_000, image: 1, sha: testSHA}
		if first, later := b.room(0, true), b.room(65536, false); first != tt.first || later != tt.later {
			t.Errorf("buffer of %d: %d in the first chunk, %d later, want %d and %d",
				tt.buffer, first, later, tt.first, tt.later)
		}
	}
}

func TestChunkEnds(t *testing.T) {
	tests := []struct {
		name             string
		limit, size, off int
		want             int
	}{
		{"first", 380, 100_000, 0, 288},
		{"later", 380, 100_000, 288, 640},
		{"after a short accept, back to the alignment", 380, 100_000, 641, 992},
		{"last, not aligned", 380, 1001, 992, 1001},
		{"last, exactly full", 380, 996, 640, 996},
		{"whole file", 380, 17, 0, 17},
		{"just room for the hash", 100, 100_000, 0, 32},
		{"no room for the hash", 99, 100_000, 0, 64},
		{"file shorter than a header, no room for the hash", 64, 30, 0, 30},
		{"smallest buffer", 64, 100_000, 65536, 65568},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := chunkBuilder{limit: tt.limit, size: tt.size, sha: testSHA}
			if got := b.end(tt.off); got != tt.want {
				t.Errorf("end(%d) = %d, want %d", tt.off, got, tt.want)
			}
		})
	}
}

func TestChunkRequests(t *testing.T) {
	data := make([]byte, 1000)
	type want = map[string]any
	tests := []struct {
		name    string
		builder chunkBuilder
		c       chunk
		want    want
	}{
		{"first", chunkBuilder{limit: 380}, chunk{off: 0, end: 32},
			want{"off": 0, "len": 1000, "sha": testSHA, "data": data[:32]}},
		{"first, everything", chunkBuilder{limit: 380, image: 2, upgrade: true}, chunk{off: 0, end: 32},
			want{"off": 0, "len": 1000, "sha": testSHA, "image": 2, "upgrade": true, "data": data[:32]}},
		{"first, no room for the hash", chunkBuilder{limit: 100}, chunk{off: 0, end: 64},
			want{"off": 0, "len": 1000, "data": data[:64]}},
		{"later", chunkBuilder{limit: 380, image: 2, upgrade: true}, chunk{off: 32, end: 64},
			want{"off": 32, "data": data[:32]}},
		{"later, image in every chunk", chunkBuilder{limit: 380, image: 2, everyChunk: true}, chunk{off: 32, end: 64},
			want{"off": 32, "image": 2, "data": data[:32]}},
		{"later, image 0 in every chunk", chunkBuilder{limit: 380, everyChunk: true}, chunk{off: 32, end: 64},
			want{"off": 32, "data": data[:32]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.builder.size, tt.builder.sha = len(data), testSHA
			var buf bytes.Buffer
			if err := appendCBOR(&buf, tt.builder.request(data, tt.c)); err != nil {
				t.Fatal(err)
			}
			var got want
			if err := cbor.Unmarshal(buf.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fmt.Sprint(tt.want), fmt.Sprint(got)); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if buf.Bytes()[0]>>5 != 5 || int(buf.Bytes()[0]&31) != len(tt.want) {
				t.Errorf("map head %#x, want a definite one of %d", buf.Bytes()[0], len(tt.want))
			}
		})
	}
}

func TestChunksImpossible(t *testing.T) {
	for _, tt := range []struct {
		limit int
		b     chunkBuilder
		want  bool
	}{
		{-4, chunkBuilder{size: 1000}, false},
		{0, chunkBuilder{size: 1000}, false},
		{59, chunkBuilder{size: 1000}, false}, // 31 bytes of an image header
		{60, chunkBuilder{size: 1000}, true},
		{61, chunkBuilder{size: 100_000}, false},
		{62, chunkBuilder{size: 100_000}, true},
		{64, chunkBuilder{size: 100_000, upgrade: true}, false},
		{30, chunkBuilder{size: 1}, true},
	} {
		tt.b.limit, tt.b.sha = tt.limit, testSHA
		if got := tt.b.possible(); got != tt.want {
			t.Errorf("possible in %d bytes for %d: %v, want %v", tt.limit, tt.b.size, got, tt.want)
		}
	}
}

// TestLastChunkCarriesHash: a device that restarts before the last chunk must not list the image.
func TestLastChunkCarriesHash(t *testing.T) {
	for size := 400; size < 3000; size += 7 {
		for _, behind := range []int{40, 140, 300} { // bytes from the hash to the end
			b := chunkBuilder{limit: 380, size: size, sha: make([]byte, 32), hash: size - behind}
			last := 0
			for off := 0; off < size; {
				end := b.end(off)
				if end <= off || end-off > b.room(off, off == 0) {
					t.Fatalf("size %d, %d behind: chunk from %d to %d", size, behind, off, end)
				}
				last, off = off, end
			}
			if fits := size-b.hash&^(chunkAlign-1) <= b.room(last, false); fits && last > b.hash {
				t.Errorf("size %d: the last chunk begins at %d, behind the hash at %d", size, last, b.hash)
			}
		}
	}
}
