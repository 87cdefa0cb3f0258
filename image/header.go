package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

const (
	headerMagic = 0x96f3b83d // image.h: IMAGE_MAGIC
	headerSize  = 32         // image.h: IMAGE_HEADER_SIZE
)

// Header is the header of an image (MCUboot image.h, struct image_header). Its
// magic is not kept: without the right one there is no header.
type Header struct {
	LoadAddr      uint32  // RAM address with FlagRAMLoad, flash address with FlagROMFixed, else 0
	HeaderSize    uint16  // bytes before the body: these 32 and the padding behind them
	ProtectedSize uint16  // bytes of the protected TLV area with its own header, 0 if there is none
	ImageSize     uint32  // bytes of the body as stored
	Flags         Flags   // kind and storage of the body
	Version       Version // of the firmware
	Pad           uint32  // 0 in practice; hashed, but looked at by nobody
}

// Append appends the 32 bytes of the header, magic first. Padding up to
// HeaderSize is left to the caller.
func (h Header) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, headerMagic)
	b = binary.LittleEndian.AppendUint32(b, h.LoadAddr)
	b = binary.LittleEndian.AppendUint16(b, h.HeaderSize)
	b = binary.LittleEndian.AppendUint16(b, h.ProtectedSize)
	b = binary.LittleEndian.AppendUint32(b, h.ImageSize)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.Flags))
	b = h.Version.append(b)
	return binary.LittleEndian.AppendUint32(b, h.Pad)
}

func parseHeader(b []byte) (Header, error) {
	if len(b) >= 4 && binary.LittleEndian.Uint32(b) != headerMagic {
		return Header{}, fail(ErrBadMagic, "not an MCUboot image: %s", describe(b))
	}
	if len(b) == 0 {
		return Header{}, fail(ErrTruncated, "the file is empty")
	}
	if len(b) < headerSize {
		return Header{}, fail(ErrTruncated, "image header: cut short, %d of %d bytes", len(b), headerSize)
	}
	h := Header{
		LoadAddr:      binary.LittleEndian.Uint32(b[4:]),
		HeaderSize:    binary.LittleEndian.Uint16(b[8:]),
		ProtectedSize: binary.LittleEndian.Uint16(b[10:]),
		ImageSize:     binary.LittleEndian.Uint32(b[12:]),
		Flags:         Flags(binary.LittleEndian.Uint32(b[16:])),
		Version:       decodeVersion(b[20 : 20+versionSize]),
		Pad:           binary.LittleEndian.Uint32(b[28:]),
	}
	return h, h.check()
}

func (h Header) check() error {
	if h.HeaderSize < headerSize {
		return fail(ErrBadHeaderSize, "image header: header size %d is below the %d bytes of the header itself",
			h.HeaderSize, headerSize)
	}
	if h.hashedSize() > math.MaxUint32 {
		return fail(ErrSizeOverflow,
			"image header: header, body and protected TLVs add up to %#x bytes, more than 32 bits can hold",
			h.hashedSize())
	}
	return h.Flags.check()
}

// hashedSize is the number of bytes under hash and signature, in 64 bits because
// the fields of a hostile header overflow 32.
func (h Header) hashedSize() uint64 {
	return uint64(h.HeaderSize) + uint64(h.ImageSize) + uint64(h.ProtectedSize)
}

// describe says what a file without the magic looks like. It has at least four
// bytes.
func describe(b []byte) string {
	if len(bytes.Trim(b, "\xff")) == 0 {
		return "all bytes are 0xff, erased flash"
	}
	for _, l := range lookalikes {
		if bytes.HasPrefix(b, []byte(l.prefix)) {
			return l.what
		}
	}
	switch {
	case isMultiImage(b):
		return "it is a dfu_multi_image container: the images are inside"
	case isVectorTable(b):
		return "it is an unsigned firmware binary (a vector table comes first): sign it, or take zephyr.signed.bin"
	case len(bytes.Trim(b, "\x00")) == 0:
		return "all bytes are zero"
	case len(b) >= headerSize && len(bytes.Trim(b[:headerSize], "\x00")) == 0:
		return "the room for the header is still zero, so it is unsigned: sign it, or take zephyr.signed.bin"
	}
	return fmt.Sprintf("it begins with %x instead of %x", b[:4], binary.LittleEndian.AppendUint32(nil, headerMagic))
}
