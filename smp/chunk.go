package smp

import (
	"math"

	"github.com/smpctl/smpctl/internal/cborhead"
)

// A line of console framing carries this many bytes of a packet together with the framing's own (Zephyr
// smp_transport.rst).
const lineBytes = 93

// chunkAlign is the largest flash write alignment of MCUboot. Older servers accept only aligned pieces, and then every
// answer to an unaligned chunk disagrees.
const chunkAlign = 32

// minFirstChunk is the size of an image header, which the first chunk must hold.
const minFirstChunk = 32

// uploadRequest is one chunk of an image (Zephyr smp_group_1.rst, "Image upload request") or of a file
// (smp_group_8.rst, "File upload request"). Everything but the offset, the data and the name of a file belongs into the
// first chunk only.
type uploadRequest struct {
	Name    string `cbor:"name,omitempty"` // of a file
	Image   *uint  `cbor:"image,omitempty"`
	Length  *uint  `cbor:"len,omitempty"`
	Offset  uint   `cbor:"off"`
	SHA     []byte `cbor:"sha,omitempty"` // of the whole file; enables resuming and the final check
	Upgrade bool   `cbor:"upgrade,omitempty"`
	Data    []byte `cbor:"data"`
}

// chunkBuilder cuts an upload into requests that fill the device's packet buffer exactly.
type chunkBuilder struct {
	limit      int    // bytes of the largest request, SMP header included
	size       int    // bytes of the whole upload
	file       string // name of the file; empty for an image
	image      uint
	upgrade    bool
	sha        []byte
	everyChunk bool // repeat the image number in every chunk
	hash       int  // where the image's hash begins, which the last chunk should carry; 0 if that does not matter
	sentSHA    bool // the last first chunk had room for the hash
	last       uploadRequest
	length     uint
}

// end says where the chunk that begins at off must end: as far as the packet reaches, for an image at a multiple of the
// flash alignment, or at the end of the upload.
func (b *chunkBuilder) end(off int) int {
	n := b.room(off, true)
	if b.file != "" {
		return min(off+n, b.size)
	}
	if off == 0 && n < min(minFirstChunk, b.size) {
		n = b.room(off, false)
	}
	end := off + n
	if aligned := end &^ (chunkAlign - 1); end < b.size && aligned > off && (off > 0 || aligned >= minFirstChunk) {
		end = aligned
	}
	return b.withHash(off, min(end, b.size))
}

// withHash cuts a chunk short that would leave less than the image's hash to the last one, if that has room for all of
// it. A device that restarts before the last chunk lists the image as soon as it has the hash, so that nobody could
// tell that the end is missing.
func (b *chunkBuilder) withHash(off, end int) int {
	cut := b.hash &^ (chunkAlign - 1)
	if end == b.size || end <= b.hash || cut <= off || b.size-cut > b.room(cut, false) {
		return end
	}
	return cut
}

// possible reports whether every chunk can carry something, and the first a whole image header.
func (b *chunkBuilder) possible() bool {
	first := minFirstChunk
	if b.file != "" {
		first = 1
	}
	return b.room(0, false) >= min(first, b.size) && b.room(math.MaxInt32, false) > 0
}

// room is the number of data bytes that fit a request at off, with or without the hash of the file.
func (b *chunkBuilder) room(off int, sha bool) int {
	n := b.limit - HeaderLen - mapHeadLen - keyLen("off") - intLen(off) - keyLen("data")
	if off == 0 {
		n -= keyLen("len") + intLen(b.size)
		if sha && len(b.sha) > 0 {
			n -= keyLen("sha") + intLen(len(b.sha)) + len(b.sha)
		}
		if b.upgrade {
			n -= keyLen("upgrade") + boolLen
		}
	}
	if b.file != "" {
		n -= keyLen("name") + intLen(len(b.file)) + len(b.file)
	}
	if b.image > 0 && (off == 0 || b.everyChunk) {
		n -= keyLen("image") + intLen(int(b.image))
	}
	for head := 1; head <= 5; head++ { // the head of the data grows with it
		if d := n - head; d <= 0 || intLen(d) <= head {
			return max(d, 0)
		}
	}
	return 0
}

// request builds the request for c. It is valid until the next call.
func (b *chunkBuilder) request(data []byte, c chunk) *uploadRequest {
	b.last = uploadRequest{Name: b.file, Offset: uint(c.off), Data: data[c.off:c.end]}
	if c.off == 0 {
		b.length = uint(b.size)
		b.last.Length = &b.length
		b.last.Upgrade = b.upgrade
		if b.sentSHA = c.end <= b.room(0, true); b.sentSHA {
			b.last.SHA = b.sha
		}
	}
	if b.image > 0 && (c.off == 0 || b.everyChunk) {
		b.last.Image = &b.image
	}
	return &b.last
}

// Encoded sizes (RFC 8949, section 3).
const (
	mapHeadLen = 1
	boolLen    = 1
)

func keyLen(key string) int { return 1 + len(key) }

// intLen is the size of an unsigned integer, and of the head of a string of that length.
func intLen(n int) int { return cborhead.Len(uint64(n)) }
