package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/smpctl/smpctl/internal/cborhead"
)

// The container of nRF Connect SDK's dfu_multi_image library (scripts/bootloader/dfu_multi_image_tool.py). Its header
// is a CBOR map of one shape, so it is read by hand, and strictly: definite lengths only.
const (
	lengthSize = 2 // bytes in front of the header
	maxImages  = 64
	mapOfOne   = "\xa1"
	mapOfTwo   = "\xa2"
	imagesKey  = "\x63img"
	idKey      = "\x62id"
	sizeKey    = "\x64size"
)

func isMultiImage(b []byte) bool {
	return len(b) >= lengthSize && bytes.HasPrefix(b[lengthSize:], []byte(mapOfOne+imagesKey))
}

func parseMultiImage(b []byte) (*Package, error) {
	length := int(binary.LittleEndian.Uint16(b))
	if length > len(b)-lengthSize {
		return nil, fail(ErrBadContainer, "dfu_multi_image: the header takes %d bytes, the file has %d: cut short",
			length, len(b)-lengthSize)
	}
	h := header{rest: b[lengthSize:][:length]}
	members := h.images()
	if h.problem == "" && len(h.rest) > 0 {
		h.problem = fmt.Sprintf("%d bytes are left over", len(h.rest))
	}
	if h.problem != "" {
		return nil, fail(ErrBadContainer, "dfu_multi_image: header: %s", h.problem)
	}
	p := &Package{Format: MultiImage}
	data := b[lengthSize+length:]
	for _, m := range members {
		if m.size > uint64(len(data)) {
			return nil, fail(ErrContainerSize, "dfu_multi_image: image %d has %d bytes, %d are left: cut short",
				m.id, m.size, len(data))
		}
		p.Members = append(p.Members,
			Member{Name: imageName(int(m.id)), Image: int(m.id), Slot: AnySlot, Data: data[:m.size:m.size]})
		data = data[m.size:]
	}
	if len(data) > 0 {
		return nil, fail(ErrContainerSize, "dfu_multi_image: %d bytes follow the last image", len(data))
	}
	return p, p.checkImages()
}

func imageName(number int) string { return fmt.Sprintf("image-%d.bin", number) }

// header reads the header from the front; after a problem it reads nothing more.
type header struct {
	rest    []byte
	problem string
}

type containerImage struct{ id, size uint64 }

func (h *header) images() []containerImage {
	h.take(mapOfOne + imagesKey)
	n := h.number(cborhead.Array)
	if h.problem == "" && (n == 0 || n > maxImages) {
		h.problem = fmt.Sprintf("%d images, want 1 to %d", n, maxImages)
	}
	var list []containerImage
	for range n {
		if h.problem != "" {
			return nil
		}
		list = append(list, h.image())
	}
	return list
}

// image reads {"id": number, "size": number}, in any order.
func (h *header) image() (m containerImage) {
	h.take(mapOfTwo)
	if bytes.HasPrefix(h.rest, []byte(idKey)) {
		h.take(idKey)
		m.id = h.number(cborhead.Unsigned)
		h.take(sizeKey)
		m.size = h.number(cborhead.Unsigned)
	} else {
		h.take(sizeKey)
		m.size = h.number(cborhead.Unsigned)
		h.take(idKey)
		m.id = h.number(cborhead.Unsigned)
	}
	if h.problem == "" && m.id > MaxImage {
		h.problem = fmt.Sprintf("image %d, want 0 to %d", m.id, MaxImage)
	}
	return m
}

// take reads what must stand there.
func (h *header) take(want string) {
	if h.problem != "" {
		return
	}
	if !bytes.HasPrefix(h.rest, []byte(want)) {
		h.problem = fmt.Sprintf("%x stands where %x should", h.rest[:min(len(h.rest), len(want))], want)
		return
	}
	h.rest = h.rest[len(want):]
}

// number reads the number of a data item of the given major type, in any of its five lengths.
func (h *header) number(major cborhead.Major) uint64 {
	if h.problem != "" {
		return 0
	}
	if len(h.rest) == 0 || cborhead.Major(h.rest[0]>>5) != major || h.rest[0]&31 > 27 {
		h.problem = fmt.Sprintf("%x stands where a number or a list should", h.rest[:min(len(h.rest), 1)])
		return 0
	}
	head, rest, ok := cborhead.Read(h.rest)
	if !ok {
		h.problem = "it ends in the middle of a number"
		return 0
	}
	h.rest = rest
	return head.N
}

// multiImage writes the container, its numbers as short as they can be.
func (p *Package) multiImage() ([]byte, error) {
	h := cborhead.Append([]byte(mapOfOne+imagesKey), cborhead.Array, uint64(len(p.Members)))
	size := 0
	for _, m := range p.Members {
		if m.Slot != AnySlot {
			return nil, fail(ErrBadBuild, "a dfu_multi_image container cannot say for which slot an image is")
		}
		h = cborhead.Append(append(h, mapOfTwo+idKey...), cborhead.Unsigned, uint64(m.Image))
		h = cborhead.Append(append(h, sizeKey...), cborhead.Unsigned, uint64(len(m.Data)))
		size += len(m.Data)
	}
	b := make([]byte, 0, lengthSize+len(h)+size)
	b = append(binary.LittleEndian.AppendUint16(b, uint16(len(h))), h...)
	for _, m := range p.Members {
		b = append(b, m.Data...)
	}
	return b, nil
}
