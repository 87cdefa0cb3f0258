package image

import (
	"bytes"
	"crypto"
	"math"
	"slices"
)

// BuildOptions say how [Build] makes an image of a firmware binary. They are the
// options of "imgtool sign", and give the same bytes.
type BuildOptions struct {
	Version    Version // for the header
	HeaderSize int     // bytes in front of the body, 32 to 65535; 0 means 32
	PadHeader  bool    // put those bytes in front; else the input begins with as many zero bytes

	LoadAddr     uint32 // RAM address to load and run the image at; 0: none
	ROMFixed     uint32 // flash address the image is linked for; 0: none. Not together with LoadAddr
	NonBootable  bool   // data, or the second half of a split image
	ErasedToZero bool   // erased flash reads 0x00 instead of 0xff: what padding consists of

	SecurityCounter *uint32      // nil: none. See [Version.SecurityCounter]
	BootRecord      string       // type of software for measured boot, up to 12 characters; empty: no record
	Dependencies    []Dependency // images that must be present
	VendorUUID      string       // a UUID, or a name such as a domain, from which one is made; empty: none
	ClassUUID       string       // a UUID, or a name within VendorUUID; empty: none
	CustomTLVs      []TLV        // protected entries of types 0xa0 to 0xfffe, each type once

	Sign SignOptions // hash, and the form of key and signature

	Encrypt *Encryption // nil: not at all

	// A compressed image has a second signature, from before its compression.
	// SignPlain completes the image for it, with [Sign] or [Unsigned.Attach]; only
	// an image without a key can do without. If compression does not make the image
	// smaller it is built without, as its header's flags say.
	Compression Compression
	SignPlain   func(*Unsigned) (file []byte, err error) // called by Build; its error comes back as it is

	SlotSize      int  // bytes that the image has to fit with the bootloader's trailer; 0: not checked
	Pad           Pad  // fill the slot and end it with a trailer; needs SlotSize
	Align         int  // bytes of the smallest write to flash: 1, 2, 4, 8, 16 or 32; 0 means 1
	MaxAlign      int  // bytes of the largest such write in the bootloader: 8, 16 or 32; 0: 8 or Align
	MaxSectors    int  // sectors of a slot; 0 means 128
	OverwriteOnly bool // the bootloader does not swap and has a small trailer
}

// SignOptions say how hash, key and signature stand in an image.
type SignOptions struct {
	Hash         TLVType // of the image: TLVSHA256, TLVSHA384 or TLVSHA512; 0: what goes with the key
	Pure         bool    // Ed25519 over the image instead of its hash
	FullKey      bool    // the image holds the public key itself instead of its hash
	PadSignature bool    // zero bytes behind an ECDSA signature, for MCUboot before 1.5
}

// Build puts an image together up to the signature. The body is the firmware
// binary, flat from its first byte. The public key decides on hash and signature
// type and is named in the image; without one (nil) the image carries nothing
// but its hash. The body is kept, and must not be changed while the result is in
// use.
//
// Options that contradict each other or the body are of kind [ErrBadOption]; an
// image that does not fit its slot is [ErrTooLarge].
func Build(body []byte, pub crypto.PublicKey, o BuildOptions) (*Unsigned, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Compression != NoCompression {
		return buildCompressed(body, pub, o)
	}
	return build(body, pub, o, packing{})
}

// build is [Build] for a body that is stored as it is, and may be packed already.
func build(body []byte, pub crypto.PublicKey, o BuildOptions, p packing) (*Unsigned, error) {
	u := &Unsigned{
		packing: p, encryption: o.Encrypt,
		slot: slot{
			size: o.SlotSize, pad: o.Pad, align: o.Align, maxAlign: o.MaxAlign, sectors: o.MaxSectors,
			overwrite: o.OverwriteOnly, keys: o.Encrypt.room(), erased: o.erased(),
		},
	}
	if err := u.setKey(pub, o.Sign); err != nil {
		return nil, err
	}
	entries, err := o.protected(u)
	if err != nil {
		return nil, err
	}
	if err := u.assemble(body, entries, o); err != nil {
		return nil, err
	}
	if err := u.checkFit(); err != nil {
		return nil, err
	}
	return u, nil
}

// assemble fills the region that hash and signature cover.
func (u *Unsigned) assemble(body []byte, entries []TLV, o BuildOptions) error {
	padding := bytes.Repeat([]byte{o.erased()}, o.headerSize())
	if !o.PadHeader {
		if len(body) < o.headerSize() || !filled(body[:o.headerSize()], 0) {
			return fail(ErrBadOption,
				"header: the input does not begin with %d zero bytes as room for it: pad the header, or link the "+
					"firmware for it", o.headerSize())
		}
		padding, body = body[:o.headerSize()], body[o.headerSize():]
	}
	tail := make([]byte, o.Encrypt.pad(len(padding)+len(body)))
	var area []byte
	if len(entries) > 0 {
		var err error
		if area, err = protectedArea.append(nil, entries); err != nil {
			return err
		}
	}
	u.header = Header{
		LoadAddr: o.LoadAddr | o.ROMFixed, HeaderSize: uint16(o.headerSize()), ProtectedSize: uint16(len(area)),
		ImageSize: uint32(len(body) + len(tail)), Flags: o.flags() | u.packing.how.flags(), Version: o.Version,
	}
	size := len(padding) + len(body) + len(tail) + len(area)
	if uint64(size) > math.MaxUint32 {
		return fail(ErrSizeOverflow, "image: %d bytes are more than 32 bits can count", size)
	}
	head := slices.Concat(u.header.Append(nil), padding[headerSize:])
	u.region = [][]byte{head, body, tail, area}
	u.digest = u.sign.Hash.sum(u.region...)
	return nil
}

func (o BuildOptions) headerSize() int {
	if o.HeaderSize == 0 {
		return headerSize
	}
	return o.HeaderSize
}

func (o BuildOptions) erased() byte {
	if o.ErasedToZero {
		return 0
	}
	return 0xff
}

func (o BuildOptions) flags() Flags {
	f := o.Encrypt.flag()
	if o.LoadAddr != 0 {
		f |= FlagRAMLoad
	}
	if o.ROMFixed != 0 {
		f |= FlagROMFixed
	}
	if o.NonBootable {
		f |= FlagNonBootable
	}
	return f
}

// check refuses options that are wrong whatever the body and the key are.
func (o BuildOptions) check() error {
	among := func(name string, n int, allowed ...int) error {
		if n != 0 && !slices.Contains(allowed, n) {
			return fail(ErrBadOption, "%s %d: want one of %v", name, n, allowed)
		}
		return nil
	}
	switch {
	case o.headerSize() < headerSize || o.headerSize() > math.MaxUint16:
		return fail(ErrBadOption, "header size %d: want %d to %d", o.HeaderSize, headerSize, math.MaxUint16)
	case o.LoadAddr != 0 && o.ROMFixed != 0:
		return fail(ErrBadOption, "load address %#x and fixed flash address %#x: an image has one or the other",
			o.LoadAddr, o.ROMFixed)
	case o.SlotSize < 0:
		return fail(ErrBadOption, "slot size %d: want 0 or more", o.SlotSize)
	case o.Pad < NoPad || o.Pad > PadConfirm:
		return fail(ErrBadOption, "padding %d: unknown", o.Pad)
	case o.Pad != NoPad && o.SlotSize == 0:
		return fail(ErrBadOption, "padding: a slot size is needed, for the trailer stands at the end of the slot")
	case o.Pad != NoPad && o.SlotSize > maxPadded:
		return fail(ErrBadOption, "padding: a slot of %d bytes, want %d at most", o.SlotSize, maxPadded)
	case o.Compression < NoCompression || o.Compression > CompressLZMA2ARMThumb:
		return fail(ErrBadOption, "compression %d: unknown", o.Compression)
	case o.MaxSectors < 0 || o.MaxSectors > maxSectors:
		return fail(ErrBadOption, "slot of %d sectors: want 1 to %d", o.MaxSectors, maxSectors)
	}
	if o.Encrypt != nil {
		if _, _, err := o.Encrypt.resolve(); err != nil {
			return err
		}
	}
	if err := among("alignment", o.Align, 1, 2, 4, 8, 16, 32); err != nil {
		return err
	}
	return among("largest alignment", o.MaxAlign, 8, 16, 32)
}
