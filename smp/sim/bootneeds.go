package sim

import (
	"encoding/binary"

	"github.com/smpctl/smpctl/image"
)

// needsMet reports whether the images that will run fit together (MCUboot loader.c: boot_verify_dependencies, of the
// modes that run from the primary slot).
func (l *loader) needsMet() bool {
	for i := range l.images {
		slot := 0
		if l.images[i].swap != swapNone && l.images[i].swap != swapFail {
			slot = 1
		}
		if !l.needsOf(i, slot, l.next) {
			return false
		}
	}
	return true
}

// next is the slot whose image will run.
func (l *loader) next(i int) int {
	if l.images[i].swap.moves() {
		return 1
	}
	return 0
}

// needsOf reports whether every image that the one in a slot depends on will be there in the version that it needs.
func (l *loader) needsOf(i, slot int, next func(i int) int) bool {
	needs, ok := l.images[i].headers[slot].needs(l.slot(i, slot), l.startOf(i, slot))
	if !ok {
		return false
	}
	for _, need := range needs {
		n := int(need.Image)
		if n >= len(l.images) {
			return false
		}
		// Whatever the header says counts, and that of an erased slot has the highest version there is.
		there := l.images[n].headers[next(n)].version
		if there.CompareIgnoringBuild(need.Minimum) < 0 {
			l.say("W: Image %d needs image %d in version %s", i, n, need.Minimum)
			return false
		}
	}
	return true
}

const dependencyLen = 12 // MCUboot image.h: struct image_dependency

// needs reads the dependencies of an image that nobody has looked at yet. It is false if its TLVs are damaged (MCUboot
// tlv.c).
func (h header) needs(slot []byte, start int) (needs []image.Dependency, ok bool) {
	if _, ok := h.unprotected(slot, start); !ok {
		return nil, false
	}
	at := uint64(h.tlvStart()) + uint64(start)
	end := at + uint64(h.protectedSize)
	for at += tlvHeaderLen; at < end; {
		if at+tlvHeaderLen > end || end > uint64(len(slot)) {
			return nil, false
		}
		kind, size := image.TLVType(binary.LittleEndian.Uint16(slot[at:])),
			uint64(binary.LittleEndian.Uint16(slot[at+2:]))
		at += tlvHeaderLen
		if size > end-at || kind == image.TLVDependency && size != dependencyLen {
			return nil, false
		}
		if kind == image.TLVDependency {
			needs = append(needs, dependency(slot[at:]))
		}
		at += size
	}
	return needs, true
}

// dependency decodes one entry: the image number, three bytes of nothing, and the version.
func dependency(b []byte) image.Dependency {
	return image.Dependency{Image: b[0], Minimum: image.Version{
		Major:    b[4],
		Minor:    b[5],
		Revision: binary.LittleEndian.Uint16(b[6:]),
		Build:    binary.LittleEndian.Uint32(b[8:]),
	}}
}
