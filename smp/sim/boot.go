package sim

import (
	"bytes"
	"fmt"
)

// rules are the build options of the bootloader that decide.
type rules struct {
	mode        Mode
	noDowngrade bool
}

// loader is one run of MCUboot over the flash. It takes the same steps in the same order as MCUboot and touches the
// flash in the same operations, so that what it leaves is the same byte for byte, wherever the power is cut (MCUboot
// bootutil/src/loader.c: context_boot_go).
//
//	boot.go         the run as a whole, and the flash
//	bootheader.go   image headers, and what makes an image one that can run (with validate.go)
//	bootdirect.go   modes whose slots are equals: direct-XIP, RAM load
//	bootprimary.go  modes that run from slot 0: which images are moved
//	bootneeds.go    dependencies between images
//	progress.go     how far a swap came, as the trailer tells
//	swapmove.go, swapoffset.go, overwrite.go: the moving itself
type loader struct {
	rules
	validator validator
	size      int // of a slot
	mem       []byte
	images    []imageState

	keeps  bool   // before, for a device that may have to start again
	before []byte // the flash before the first operation; nil: it is as it was
	ops    int    // flash operations so far
	cut    int    // the power is lost before this operation, 1 is the first; 0: never
	moved  int
	words  []string // on the console
}

// imageState is what the loader knows of one image.
type imageState struct {
	headers [2]header
	swap    swapType
	start   int       // of the image in slot 1
	loose   [2]uint16 // bytes of the unprotected TLVs, of a swap with an offset

	available [2]bool // direct modes: slots that may still be tried
	active    int     // direct modes: the slot that was chosen, or -1
	ram       region
}

// outcome is what a run of the bootloader leads to.
type outcome struct {
	run    []int  // slot within its pair that each image runs from; -1 for all: nothing boots
	moved  int    // images that were moved
	ops    int    // flash operations
	cut    bool   // it did not come to the end
	stuck  string // why the processor stands still; "": it does not
	before []byte // the flash before, if that was to be kept; nil: it was not touched
	words  []string
}

// halt is why the processor stands still: where MCUboot has a failed assertion or a loop without an end.
type halt string

// powerCut ends a run before a flash operation.
type powerCut struct{}

// run boots once.
func (l *loader) run() (o outcome) {
	pairs := len(l.mem) / l.size / 2
	l.images = make([]imageState, pairs)
	o.run = make([]int, pairs)
	for i := range o.run {
		o.run[i] = -1
	}
	defer func() {
		switch why := recover().(type) {
		case nil:
		case powerCut:
			o.cut = true
		case halt:
			o.stuck = string(why)
			l.say("E: bootloader stops: %s", o.stuck)
		default:
			panic(why)
		}
		o.moved, o.ops, o.before, o.words = l.moved, l.ops, l.before, l.words
	}()
	boots := l.bootPrimary
	if !l.mode.swaps() {
		boots = l.bootDirect
	}
	if boots() {
		for i := range o.run {
			o.run[i] = l.images[i].active
		}
	}
	return o
}

func (l *loader) say(format string, args ...any) {
	l.words = append(l.words, fmt.Sprintf(format, args...))
}

// slot gives the bytes of a slot of image i.
func (l *loader) slot(i, slot int) []byte {
	n := 2*i + slot
	return l.mem[n*l.size : (n+1)*l.size]
}

func (l *loader) sectors() int { return l.size / Sector }

// assert stops the processor unless ok.
func assert(ok bool, why string) {
	if !ok {
		panic(halt(why))
	}
}

// operate counts a flash operation that is about to happen.
func (l *loader) operate() {
	if l.keeps && l.before == nil {
		l.before = bytes.Clone(l.mem)
	}
	l.ops++
	if l.ops == l.cut {
		panic(powerCut{})
	}
}

// write programs whole write units: flash only clears bits.
func (l *loader) write(i, slot, off int, p []byte) {
	b := l.slot(i, slot)
	assert(off >= 0 && off <= len(b)-len(p), "write outside of the slot")
	l.operate()
	for n, v := range p {
		b[off+n] &= v
	}
}

// erase clears one sector.
func (l *loader) erase(i, slot, off int) {
	b := l.slot(i, slot)
	assert(off >= 0 && off <= len(b)-Sector, "erase outside of the slot")
	l.operate()
	fill(b[off:off+Sector], erased)
}

// wipe clears a whole slot.
func (l *loader) wipe(i, slot int) {
	for off := 0; off < l.size; off += Sector {
		l.erase(i, slot, off)
	}
}

// wipeTrailer clears the sectors of a trailer, the last one first.
func (l *loader) wipeTrailer(i, slot int) {
	for off := l.size - Sector; off >= l.trailerStart(); off -= Sector {
		l.erase(i, slot, off)
	}
}

// trailerStart is the first sector that holds a part of the trailer.
func (l *loader) trailerStart() int { return l.size - roundUp(trailerSize(l.mode, l.size)) }

// copyPiece is how many bytes are copied at once (MCUboot loader.c: BUF_SZ).
const copyPiece = 1024

// copySector copies a sector into an erased one.
func (l *loader) copySector(i, from, fromOff, to, toOff int) {
	l.copy(i, from, fromOff, to, toOff, Sector)
}

// copy copies bytes into erased flash.
func (l *loader) copy(i, from, fromOff, to, toOff, size int) {
	b := l.slot(i, from)
	for at := 0; at < size; at += copyPiece {
		n := min(copyPiece, size-at)
		assert(fromOff+at <= len(b)-n, "copy from outside of the slot")
		l.write(i, to, toOff+at, bytes.Clone(b[fromOff+at:][:n]))
	}
}
