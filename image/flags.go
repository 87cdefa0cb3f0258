package image

import (
	"fmt"
	"math/bits"
	"strings"
)

// Flags are the flags of an image header (MCUboot image.h, IMAGE_F_*). The
// bootloader ignores bits that it does not know, and so does this package.
type Flags uint32

// Flags defined by MCUboot.
const (
	FlagPIC                Flags = 0x00000001 // position independent; never supported
	FlagEncryptedAES128    Flags = 0x00000004
	FlagEncryptedAES256    Flags = 0x00000008
	FlagNonBootable        Flags = 0x00000010 // data, or the second half of a split image
	FlagRAMLoad            Flags = 0x00000020 // copied to the load address and run there
	FlagROMFixed           Flags = 0x00000100 // the load address is the flash address it was linked for
	FlagCompressedLZMA1    Flags = 0x00000200
	FlagCompressedLZMA2    Flags = 0x00000400
	FlagCompressedARMThumb Flags = 0x00000800 // ARM Thumb filter below LZMA2
)

const (
	encryptionFlags  = FlagEncryptedAES128 | FlagEncryptedAES256
	compressionFlags = FlagCompressedLZMA1 | FlagCompressedLZMA2 | FlagCompressedARMThumb
)

// Names returns the name of each set bit as imgtool spells it, lowest first. A
// bit without a name is a number: "0x00010000".
func (f Flags) Names() []string {
	var names []string
	for f != 0 {
		bit := Flags(1) << bits.TrailingZeros32(uint32(f))
		names = append(names, bit.name())
		f &^= bit
	}
	return names
}

// String returns the names joined by "|", or "0" if no bit is set.
func (f Flags) String() string {
	if f == 0 {
		return "0"
	}
	return strings.Join(f.Names(), "|")
}

func (f Flags) name() string {
	switch f {
	case FlagPIC:
		return "PIC"
	case FlagEncryptedAES128:
		return "ENCRYPTED_AES128"
	case FlagEncryptedAES256:
		return "ENCRYPTED_AES256"
	case FlagNonBootable:
		return "NON_BOOTABLE"
	case FlagRAMLoad:
		return "RAM_LOAD"
	case FlagROMFixed:
		return "ROM_FIXED"
	case FlagCompressedLZMA1:
		return "COMPRESSED_LZMA1"
	case FlagCompressedLZMA2:
		return "COMPRESSED_LZMA2"
	case FlagCompressedARMThumb:
		return "COMPRESSED_ARM_THUMB"
	}
	return fmt.Sprintf("0x%08x", uint32(f))
}

// check refuses pairs of flags that exclude each other. The bootloader refuses
// the first two (MCUboot loader.c); the third would give the load address two
// meanings.
func (f Flags) check() error {
	for _, pair := range []Flags{
		FlagEncryptedAES128 | FlagEncryptedAES256,
		FlagCompressedLZMA1 | FlagCompressedLZMA2,
		FlagRAMLoad | FlagROMFixed,
	} {
		if f&pair == pair {
			names := pair.Names()
			return fail(ErrConflictingFlags, "image header: flags %s and %s exclude each other", names[0], names[1])
		}
	}
	return nil
}
