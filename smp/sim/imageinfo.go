package sim

import (
	"encoding/binary"

	"github.com/smpctl/smpctl/image"
)

// imageInfo is what the application reads from a slot without checking anything.
type imageInfo struct {
	version image.Version
	flags   image.Flags
	hash    []byte // shares memory with the slot
}

// readInfo reads header and hash of a slot. A non-zero rc is an error of the image group. It walks the bytes by itself,
// as Zephyr does: damaged images are listed as long as a hash can be found (Zephyr img_mgmt.c: img_mgmt_read_info).
func readInfo(slot []byte) (info imageInfo, rc int) {
	if len(slot) < imageHeaderLen {
		return info, imgNoImage
	}
	switch magic := binary.LittleEndian.Uint32(slot); {
	case magic == 0xffffffff:
		return info, imgNoImage
	case magic != imageMagic:
		return info, imgInvalidMagic
	}
	info.version = headerVersion(slot)
	info.flags = image.Flags(binary.LittleEndian.Uint32(slot[16:]))
	at := uint64(binary.LittleEndian.Uint16(slot[8:])) + uint64(binary.LittleEndian.Uint32(slot[12:]))
	if area, ok := tlvArea(slot, at, protectedTLVMagic); ok {
		at += uint64(len(area))
	}
	area, ok := tlvArea(slot, at, tlvMagic)
	if !ok {
		return info, imgNoTLVs
	}
	info.hash, rc = findHashTLV(area)
	return info, rc
}

// MCUboot image.h: IMAGE_TLV_PROT_INFO_MAGIC, IMAGE_TLV_INFO_MAGIC.
const (
	protectedTLVMagic = 0x6908
	tlvMagic          = 0x6907
	tlvHeaderLen      = 4
)

// tlvArea gives the TLV area at an offset, its header included.
func tlvArea(slot []byte, at uint64, magic uint16) (area []byte, ok bool) {
	if at+tlvHeaderLen > uint64(len(slot)) {
		return nil, false
	}
	b := slot[at:]
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if binary.LittleEndian.Uint16(b) != magic || size < tlvHeaderLen || size > len(b) {
		return nil, false
	}
	return b[:size], true
}

// findHashTLV looks for the one hash. Zephyr is built for one length of hash; this device takes any of the three.
func findHashTLV(area []byte) (hash []byte, rc int) {
	for at := tlvHeaderLen; at+tlvHeaderLen <= len(area); {
		kind := image.TLVType(binary.LittleEndian.Uint16(area[at:]))
		size := int(binary.LittleEndian.Uint16(area[at+2:]))
		at += tlvHeaderLen
		if kind == 0xffff {
			return nil, imgInvalidTLV
		}
		if size == hashSize(kind) {
			switch {
			case hash != nil:
				return nil, imgManyHashes
			case at+size > len(area):
				return nil, imgTLVSize
			}
			hash = area[at : at+size]
		}
		at += size
	}
	if hash == nil {
		return nil, imgHashNotFound
	}
	return hash, 0
}

// hashSize is the length of a hash entry, -1 for an entry of another kind.
func hashSize(kind image.TLVType) int {
	switch kind {
	case image.TLVSHA256:
		return 32
	case image.TLVSHA384:
		return 48
	case image.TLVSHA512:
		return 64
	}
	return -1
}

// imageHash is the hash of an image in memory.
func imageHash(b []byte) ([]byte, error) {
	m, err := image.Parse(b)
	if err != nil {
		return nil, err
	}
	return m.Hash(), m.CheckHash()
}
