package sim

// overwrite copies the image of the secondary slot over the one in the primary, and takes header and trailer from the
// secondary, or it would be copied again. There is no progress to note: what is interrupted starts again (MCUboot
// loader.c: boot_copy_image, built as Zephyr does, with MCUBOOT_OVERWRITE_ONLY_FAST).
func (l *loader) overwrite(i int) {
	size, ok := l.images[i].headers[1].totalSize(l.slot(i, 1), 0)
	assert(ok, "the size of the image to copy cannot be read")
	l.moved++
	l.say("I: Image %d upgrade secondary slot -> primary slot", i)
	l.say("I: Erasing the primary slot")
	for off := 0; off < l.size; off += Sector {
		l.erase(i, 0, off)
		if off+Sector >= int(size) {
			break
		}
	}
	for off := l.trailerStart(); off < l.size; off += Sector {
		l.erase(i, 0, off)
	}
	whole := (int(size)/writeAlign + 1) * writeAlign
	l.say("I: Image %d copying the secondary slot to the primary slot: 0x%x bytes", i, whole)
	l.copy(i, 1, 0, 0, 0, whole)
	l.writeMagic(i, 0)
	l.erase(i, 1, 0)
	l.erase(i, 1, l.size-Sector)
}
