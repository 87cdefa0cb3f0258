package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The container of nRF Connect SDK's dfu_multi_image library (scripts/bootloader/dfu_multi_image_tool.py). Its header is a CBOR map of one
// shape, so it is read by hand, and strictly: definite lengths only.
const (
	lengthSize  = 2 // bytes in front of the header
	maxImages   = 64
	imagesKey   = "\x63img"
	idKey       = "\x62id"
	sizeKey     = "\x64size"
	mapOfOne    = 0xa1
	mapOfTwo    = 0xa2
	majorNumber = 0
	majorArray  = 4
)

func isMultiImage(b []byte) bool {
	return len(b) >= lengthSize+5 && b[lengthSize] == mapOfOne && bytes.HasPrefix(b[lengthSize+1:], []byte(imagesKey))
}

func parseMultiImage(b []byte) (*Package, error) {
	length := int(binary.LittleEndian.Uint16(b))
	if length > len(b)-lengthSize {
		return nil, fail(ErrBadContainer, "dfu_multi_image: the header takes %d bytes, the file has %d: cut short", length, len(b)-lengthSize)
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
			return nil, fail(ErrContainerSize, "dfu_multi_image: image %d has %d bytes, %d are left: cut short", m.id, m.size, len(data))
		}
		p.Members = append(p.Members, Member{Name: imageName(int(m.id)), Image: int(m.id), Slot: AnySlot, Data: data[:m.size:m.size]})
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
	h.take("\xa1" + imagesKey)
	n := h.number(majorArray)
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
	h.take("\xa2")
	if bytes.HasPrefix(h.rest, []byte(idKey)) {
		h.take(idKey)
		m.id = h.number(majorNumber)
		h.take(sizeKey)
		m.size = h.number(majorNumber)
	} else {
		h.take(sizeKey)
		m.size = h.number(majorNumber)
		h.take(idKey)
		m.id = h.number(majorNumber)
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

// number reads the number of a data item of the given major type, in any of its five lengths (RFC 8949 section 3).
func (h *header) number(major byte) uint64 {
	if h.problem != "" {
		return 0
	}
	if len(h.rest) == 0 || h.rest[0]>>5 != major || h.rest[0]&0x1f > 27 {
		h.problem = fmt.Sprintf("%x stands where a number or a list should", h.rest[:min(len(h.rest), 1)])
		return 0
	}
	info := h.rest[0] & 0x1f
	h.rest = h.rest[1:]
	if info < 24 {
		return uint64(info)
	}
	width := 1 << (info - 24)
	if len(h.rest) < width {
		h.problem = "it ends in the middle of a number"
		return 0
	}
	var n uint64
	for _, v := range h.rest[:width] {
		n = n<<8 | uint64(v)
	}
	h.rest = h.rest[width:]
	return n
}

// multiImage writes the container, its numbers as short as they can be.
func (p *Package) multiImage() ([]byte, error) {
	h := append([]byte{mapOfOne}, imagesKey...)
	h = appendNumber(h, majorArray, uint64(len(p.Members)))
	size := 0
	for _, m := range p.Members {
		if m.Slot != AnySlot {
			return nil, fail(ErrBadBuild, "a dfu_multi_image container cannot say for which slot an image is")
		}
		h = append(append(h, mapOfTwo), idKey...)
		h = append(appendNumber(h, majorNumber, uint64(m.Image)), sizeKey...)
		h = appendNumber(h, majorNumber, uint64(len(m.Data)))
		size += len(m.Data)
	}
	b := make([]byte, 0, lengthSize+len(h)+size)
	b = append(binary.LittleEndian.AppendUint16(b, uint16(len(h))), h...)
	for _, m := range p.Members {
		b = append(b, m.Data...)
	}
	return b, nil
}

// appendNumber writes the shortest form.
func appendNumber(b []byte, major byte, n uint64) []byte {
	head := major << 5
	switch {
	case n < 24:
		return append(b, head|byte(n))
	case n < 1<<8:
		return append(b, head|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, head|25), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, head|26), uint32(n))
}
