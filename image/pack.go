package image

import (
	"crypto"
	"encoding/binary"
)

// Compression says how the body of an image is stored. Few bootloaders can
// decompress it.
type Compression int

// NoCompression stores the body as it is, CompressLZMA2 compresses it, and
// CompressLZMA2ARMThumb puts the filter for ARM Thumb code before that.
const (
	NoCompression Compression = iota
	CompressLZMA2
	CompressLZMA2ARMThumb
)

func (c Compression) flags() Flags {
	switch c {
	case CompressLZMA2:
		return FlagCompressedLZMA2
	case CompressLZMA2ARMThumb:
		return FlagCompressedLZMA2 | FlagCompressedARMThumb
	}
	return 0
}

// packing is what was done to a body before.
type packing struct {
	how     Compression
	entries []TLV // on the image before that
}

// buildCompressed builds the image twice: as it is, to have its hash and
// signature, and compressed, with those among its entries. If that does not make
// it smaller, the result is the image as it is.
func buildCompressed(body []byte, pub crypto.PublicKey, o BuildOptions) (*Unsigned, error) {
	compression := o.Compression
	o.Compression = NoCompression
	entries, err := o.decompressed(body, pub)
	if err != nil {
		return nil, err
	}
	room := 0
	if !o.PadHeader {
		room = o.headerSize()
	}
	packed, err := compress(body[room:], compression == CompressLZMA2ARMThumb)
	if err != nil {
		return nil, err
	}
	size := len(packed) - lzmaHeaderSize // as imgtool counts
	for _, t := range entries {
		size += len(t.Value)
	}
	if size >= len(body)-room {
		return build(body, pub, o, packing{})
	}
	if o.Encrypt != nil {
		entries = append(entries, number(TLVCompDecSize, len(packed)))
	}
	return build(append(make([]byte, room), packed...), pub, o, packing{compression, entries})
}

// decompressed returns the entries that say what the bootloader decompresses.
func (o BuildOptions) decompressed(body []byte, pub crypto.PublicKey) ([]TLV, error) {
	if pub != nil && o.SignPlain == nil {
		return nil, fail(ErrBadOption,
			"compression: a compressed image has two signatures, and its signer can be asked for one only")
	}
	// The slot takes the compressed image; a header with the flag goes with an entry.
	o.SlotSize, o.Pad = 0, NoPad
	if o.Encrypt != nil {
		e := *o.Encrypt
		e.Clear, e.unpadded = true, true
		o.Encrypt = &e
	}
	u, err := build(body, pub, o, packing{})
	if err != nil {
		return nil, err
	}
	if u.header.ImageSize > maxDecompressed {
		return nil, fail(ErrTooLarge, "compression: %d bytes are more than the %d MiB that any device decompresses",
			u.header.ImageSize, maxDecompressed>>20)
	}
	entries := []TLV{number(TLVDecompSize, int(u.header.ImageSize)), {TLVDecompSHA, u.Digest()}}
	if pub == nil {
		return entries, nil
	}
	file, err := o.SignPlain(u)
	if err != nil {
		return nil, err
	}
	m, err := Parse(file)
	if err != nil {
		return nil, err
	}
	if err := m.Verify(pub); err != nil {
		return nil, err
	}
	return append(entries, TLV{TLVDecompSignature, m.Signatures()[0].Value}), nil
}

// number is an entry with a number of 32 bits.
func number(typ TLVType, n int) TLV {
	return TLV{typ, binary.LittleEndian.AppendUint32(nil, uint32(n))}
}
