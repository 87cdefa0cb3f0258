package image

// The ARM Thumb filter turns the relative target of each BL instruction into an
// absolute one before compression, so that calls of one function look alike (the
// .xz format, section 5.3.2: ARM-Thumb; it works on the body alone, from address
// 0). Both directions work in place and keep the length.

func armThumbEncode(b []byte) { armThumb(b, func(target, at uint32) uint32 { return target + at }) }

func armThumbDecode(b []byte) { armThumb(b, func(target, at uint32) uint32 { return target - at }) }

// armThumb applies change to the target of every instruction pair that looks like
// a BL. at is where the processor counts from: behind the pair.
func armThumb(b []byte, change func(target, at uint32) uint32) {
	for i := 0; i+4 <= len(b); i += 2 {
		if b[i+1]&0xf8 != 0xf0 || b[i+3]&0xf8 != 0xf8 {
			continue
		}
		// 22 bits in two halfwords of 11, the upper ones first; in units of 2 bytes.
		halves := uint32(b[i+1]&7)<<19 | uint32(b[i])<<11 | uint32(b[i+3]&7)<<8 | uint32(b[i+2])
		halves = change(halves<<1, uint32(i)+4) >> 1
		b[i+1] = 0xf0 | byte(halves>>19)&7
		b[i] = byte(halves >> 11)
		b[i+3] = 0xf8 | byte(halves>>8)&7
		b[i+2] = byte(halves)
		i += 2
	}
}
