package sim

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/smpctl/smpctl/image"
)

// factoryBody is the size of the generated image's body in bytes: small, but more than one packet.
const factoryBody = 2048

// factoryImage makes the image that a new device runs: version 1.0.0, unsigned, with a different hash for each image
// number. One for RAM has a load address there.
func factoryImage(number int, m Mode) []byte {
	h := image.Header{HeaderSize: imageHeaderLen, ImageSize: factoryBody, Version: image.Version{Major: 1}}
	if m == RAMLoad {
		h.Flags, h.LoadAddr = image.FlagRAMLoad, ramStart+uint32(number)*ramSize/maxImages
	}
	b := h.Append(nil)
	for i := range factoryBody {
		b = append(b, byte(i*7+number))
	}
	sum := sha256.Sum256(b)
	b = binary.LittleEndian.AppendUint16(b, 0x6907) // image.h: IMAGE_TLV_INFO_MAGIC
	b = binary.LittleEndian.AppendUint16(b, uint16(4+4+len(sum)))
	b = binary.LittleEndian.AppendUint16(b, uint16(image.TLVSHA256))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(sum)))
	return append(b, sum[:]...)
}
