package dfu

import (
	"encoding/binary"
	"fmt"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// advice says what may go wrong with targets that are not refused, a sentence each.
func advice(d device, targets []Target, o Options) []string {
	var list []string
	for _, t := range targets {
		p := positionOf(d, t)
		if p.running && o.Mode != UploadOnly {
			continue
		}
		problems := []string{t.unseenAdvice(d, o), t.versionAdvice(p), t.dependencyAdvice(d, targets, o),
			t.bootAdvice(d, o)}
		for _, text := range problems {
			if text != "" {
				list = append(list, fmt.Sprintf("image %d: %s", t.Image, text))
			}
		}
		list = append(list, t.fileAdvice(d)...)
	}
	return list
}

// unseenAdvice is about an image that cannot be verified.
func (t Target) unseenAdvice(d device, o Options) string {
	if o.Mode == UploadOnly || !d.unseen(t.Image) {
		return ""
	}
	return "the device does not list what runs there: it cannot be seen whether it runs already, " +
		"nor that it runs afterwards"
}

// versionAdvice is about a step back or to the side, which most bootloaders take.
func (t Target) versionAdvice(p position) string {
	if p.active == nil || p.running {
		return ""
	}
	running, err := image.ParseVersion(p.active.Version)
	if err != nil {
		return ""
	}
	file := t.File.Header.Version
	switch order := file.Compare(running); {
	case order < 0:
		return fmt.Sprintf("version %s is lower than the running %s", file, running)
	case order == 0:
		return fmt.Sprintf("version %s runs already, with other content (%s)", running, p.active.Hash.Short())
	}
	return ""
}

// bootAdvice is about an image that the bootloader will not start.
func (t Target) bootAdvice(d device, o Options) string {
	flags, mode := t.File.Header.Flags, d.Bootloader.Mode
	known := mode != smp.ModeUnknown
	toRAM := mode == smp.ModeRAMLoad || mode == smp.ModeSingleSlotRAMLoad
	switch {
	case flags&image.FlagNonBootable != 0 && t.Image == 0 && o.Mode != UploadOnly:
		return "the file is marked as not bootable: the bootloader never starts it"
	case known && !toRAM && flags&image.FlagRAMLoad != 0:
		return fmt.Sprintf("the file is to be loaded to RAM, which this bootloader (%s) does not do", mode)
	case known && toRAM && flags&image.FlagRAMLoad == 0:
		return fmt.Sprintf("this bootloader (%s) needs a load address, and the file has none", mode)
	case known && t.File.Compressed() && mode != smp.ModeOverwrite:
		return fmt.Sprintf("the file is compressed, which a bootloader of this kind (%s) does not unpack", mode)
	case t.File.Encrypted() && (mode == smp.ModeDirectXIP || mode == smp.ModeDirectXIPRevert):
		return fmt.Sprintf("the file is encrypted, and this bootloader (%s) runs it where it lies", mode)
	}
	return ""
}

// fileAdvice is about the file and its slot, also for serial recovery.
func (t Target) fileAdvice(d device) []string {
	var list []string
	if m, ok := d.slots(t.Image); ok && m.MaxImageSize == 0 {
		const reserve = trailerLeast + 2*usualSector
		if largest := largestSlot(m); largest > 0 && uint64(t.File.Size())+reserve > largest {
			list = append(list,
				fmt.Sprintf("image %d: the image of %d bytes reaches into the last %d bytes of the slot: "+
					"a bootloader that swaps may need them", t.Image, t.File.Size(), reserve))
		}
	}
	if text := resetVector(t.File); text != "" {
		list = append(list, fmt.Sprintf("image %d: %s", t.Image, text))
	}
	return list
}

// usualSector is the size of a flash sector on most boards; devices do not tell it.
const usualSector = 4096

// resetVector looks where a Cortex-M image begins to run, if it says where it will lie.
func resetVector(m *image.Image) string {
	body, h := m.Body(), m.Header
	if h.Flags&(image.FlagROMFixed|image.FlagRAMLoad) == 0 || m.Encrypted() || m.Compressed() || len(body) < 8 {
		return ""
	}
	stack, reset := binary.LittleEndian.Uint32(body), binary.LittleEndian.Uint32(body[4:])
	if stack < 0x1000_0000 || stack >= 0x4000_0000 || stack%4 != 0 || reset%2 == 0 {
		return "" // no vector table of a Cortex-M
	}
	from := uint64(h.LoadAddr) + uint64(h.HeaderSize)
	if to := from + uint64(len(body)); uint64(reset) >= from && uint64(reset) < to {
		return ""
	}
	return fmt.Sprintf("it begins to run at %#x, outside of the place at %#x that it is signed for",
		reset&^1, h.LoadAddr)
}
