package sim

import (
	"fmt"
)

// flash is the memory of the device: one slot after the other, two for each image. It behaves like NOR flash: erasing
// sets bytes to ff, writing only clears bits.
type flash struct {
	slotSize int
	mem      []byte
	note     note
	written  uint64     // bytes, since the program began
	erases   uint64     // of sectors
	file     *flashFile // nil: in memory only
}

// note is what the device remembers over a pause of the program beside its flash. On a board it would be in registers
// and retained memory.
type note struct {
	Mode         string   `json:"mode"`          // of the bootloader that ran last
	Running      []int    `json:"running"`       // slot within its pair that each image runs from
	Trusted      [][]byte `json:"trusted"`       // hashes of the factory images
	ResetPending bool     `json:"reset_pending"` // a reset was accepted and has not happened yet
	BootMode     uint8    `json:"boot_mode,omitempty"`
	Recovery     bool     `json:"recovery,omitempty"` // the bootloader's serial recovery runs
	Stuck        bool     `json:"stuck,omitempty"`    // the bootloader stands still and does not come to an end
	Settings     settings `json:"settings,omitempty"` // as the application has them
	Saved        settings `json:"saved,omitempty"`    // as its storage has them
}

// openFlash reads the flash file of o, or makes a new flash with factory images. Layout fields of o that are 0 are
// filled from the file or with their defaults.
func openFlash(o *Options) (f *flash, fresh bool, err error) {
	if o.Flash != "" {
		f, err = loadFlash(o)
		if f != nil || err != nil {
			return f, false, err
		}
	}
	o.Images, o.SlotSize = or(o.Images, 1), or(o.SlotSize, defaultSlotSize)
	f = &flash{slotSize: o.SlotSize, mem: make([]byte, 2*o.Images*o.SlotSize)}
	fill(f.mem, erased)
	if o.Flash != "" {
		f.file = &flashFile{name: o.Flash}
	}
	return f, true, f.program(*o)
}

// program puts the factory images into an erased flash, as a programming adapter does on the bench.
func (f *flash) program(o Options) error {
	f.note.Running = make([]int, o.Images)
	for i := range o.Images {
		if o.Blank {
			break
		}
		b := o.Factory
		if b == nil || i > 0 {
			b = factoryImage(i, o.Mode)
		}
		slot := f.slot(2 * i)
		if len(b) > len(slot) {
			return fmt.Errorf("virtual device: factory image of %d bytes does not fit a slot of %d", len(b), len(slot))
		}
		copy(slot, b)
		if o.Mode == DirectXIPRevert {
			trailer{magic: set, imageOK: set, copyDone: set}.put(slot)
		}
		hash, err := imageHash(b)
		if err != nil {
			return fmt.Errorf("virtual device: factory image: %w", err)
		}
		f.note.Trusted = append(f.note.Trusted, hash)
	}
	return nil
}

func (f *flash) images() int { return len(f.mem) / f.slotSize / 2 }

// slot gives the bytes of the slot with global number n: image*2 + slot. Only the bootloader may change them directly.
func (f *flash) slot(n int) []byte { return f.mem[n*f.slotSize : (n+1)*f.slotSize] }

// write programs p at an offset of slot n.
func (f *flash) write(n, off int, p []byte) error {
	slot := f.slot(n)
	if off < 0 || off > len(slot)-len(p) {
		return fmt.Errorf("flash: write of %d bytes at %#x is outside slot %d", len(p), off, n)
	}
	for i, b := range p {
		slot[off+i] &= b
	}
	f.written += uint64(len(p))
	return f.save(n*f.slotSize+off, len(p))
}

// erase clears whole sectors of slot n.
func (f *flash) erase(n, off, size int) error {
	fill(f.slot(n)[off:off+size], erased)
	f.erases += uint64(size / Sector)
	return f.save(n*f.slotSize+off, size)
}

func (f *flash) save(off, size int) error {
	if f.file == nil || size == 0 {
		return nil
	}
	return f.file.update(f.mem[off:off+size], off)
}

// saveNote writes the note alone.
func (f *flash) saveNote() error {
	if f.file == nil {
		return nil
	}
	return f.file.updateHead(f)
}

// savePending writes a note beside the bytes that are in the file already: those before a boot that takes time.
func (f *flash) savePending(n note) error {
	now := f.note
	f.note = n
	defer func() { f.note = now }()
	return f.saveNote()
}

// saveAll replaces the whole file at once, so that a program killed in between leaves either state.
func (f *flash) saveAll() error {
	if f.file == nil {
		return nil
	}
	if f.file.f == nil {
		return f.file.create(f)
	}
	return f.file.replace(f)
}

func (f *flash) close() error {
	if f.file == nil || f.file.f == nil {
		return nil
	}
	return f.file.f.Close()
}
