package sim

import (
	"encoding/binary"

	"github.com/smpctl/smpctl/image"
)

// recoveryState is the upload in the bootloader. Unlike the application's it is never forgotten before the reset
// (MCUboot boot_serial.c: bs_upload, static variables).
type recoveryState struct {
	image  uint32 // as the first chunk said
	size   int    // bytes that were announced
	off    int    // bytes written, and so the offset that is wanted next
	erased int    // bytes from the start of the slot that were erased, when erasing progressively

	decrypt bool // the slot is complete, and the bootloader looks whether there is something to decrypt
}

// recoveryUpload takes a chunk. Every error is rc 3, and every offset but the wanted one is success with that.
func recoveryUpload(c *call) *failure {
	q := chunk{off: none, size: none, image: none}
	known := []argument{argUint("image", &q.image), argBytes("data", &q.data), argUint("len", &q.size),
		argUint("off", &q.off)}
	if c.d.o.SerialRecovery.Old {
		known = append(known, argBytes("sha", &q.sha))
	}
	if c.arguments(known...) != nil || q.off == none || !c.has("data") || !c.acceptable(known) {
		return protocolFailure(rcInvalid)
	}
	u := &c.prog.recoveryState
	if q.off == 0 || c.d.o.SerialRecovery.Old {
		u.image = q.image
		if q.image == none {
			u.image = 0
		}
	}
	slot := c.d.recoverySlot(u.image)
	if slot < 0 {
		return protocolFailure(rcInvalid)
	}
	if f := c.recoveryChunk(u, slot, q); f != nil {
		return f
	}
	u.decrypt = u.off == u.size && slot == 0
	c.w.text("rc")
	c.w.int(0)
	c.w.text("off")
	c.w.uint(uint64(u.off))
	return nil
}

// acceptable is false for what the generated parser of an old bootloader refuses: keys that it does not know, and bytes
// behind the map.
func (c *call) acceptable(known []argument) bool {
	if !c.d.o.SerialRecovery.Old {
		return true
	}
	found := 0
	for _, a := range known {
		if c.has(a.key) {
			found++
		}
	}
	var whole map[string]any
	return found == len(c.given) && requestCBOR.Unmarshal(c.payload, &whole) == nil
}

// recoverySlot gives the slot for an image number, -1 if there is none.
func (d *Device) recoverySlot(number uint32) int {
	images := uint32(d.flash.images())
	switch {
	case d.o.SerialRecovery.DirectUpload && number <= 2*images:
		return int(max(number, 1)) - 1
	case !d.o.SerialRecovery.DirectUpload && number < images:
		return int(2 * number)
	}
	return -1
}

// recoveryChunk writes the data of a chunk, as far as the flash can: the bytes behind the last whole unit are wanted
// again, except at the end.
func (c *call) recoveryChunk(u *recoveryState, slot int, q chunk) *failure {
	switch {
	case q.off == 0:
		if f := c.recoveryStart(u, slot, q); f != nil {
			return f
		}
	case int(q.off) != u.off:
		return nil
	case u.off+len(q.data) > u.size:
		return protocolFailure(rcInvalid)
	}
	start := c.d.recoveryOffset(u.image, slot)
	if c.d.o.Progressive {
		if f := c.recoveryErase(u, slot, start+u.off+len(q.data)); f != nil {
			return f
		}
	}
	data := q.data
	if rest := len(data) % c.d.o.SerialRecovery.Align; u.off+len(data) < u.size {
		data = data[:len(data)-rest]
	}
	if c.d.flash.write(slot, start+u.off, data) != nil {
		return protocolFailure(rcInvalid)
	}
	u.off += len(data)
	if len(data) > 0 && u.off == u.size {
		c.last = true
		return c.recoveryErase(u, slot, c.d.flash.slotSize)
	}
	return nil
}

// recoveryStart begins an upload from the start: there is no other way.
func (c *call) recoveryStart(u *recoveryState, slot int, q chunk) *failure {
	size := c.d.flash.slotSize
	if q.size > uint32(size) {
		return protocolFailure(rcInvalid) // a length that is missing is the largest there is
	}
	u.off, u.size, u.erased = 0, int(q.size), 0
	if c.d.o.Progressive {
		return nil
	}
	return c.recoveryErase(u, slot, size)
}

// recoveryErase clears the sectors from where it stopped the last time up to an offset.
func (c *call) recoveryErase(u *recoveryState, slot, to int) *failure {
	to = min(roundUp(to), c.d.flash.slotSize)
	if to <= u.erased {
		return nil
	}
	from := u.erased
	u.erased = to
	if c.erase(slot, from, to) != nil {
		return protocolFailure(rcInvalid)
	}
	return nil
}

// recoveryOffset is where in a slot an upload goes: with a bootloader that swaps with an offset the first sector of the
// secondary slot stays free.
func (d *Device) recoveryOffset(number uint32, slot int) int {
	if d.o.Mode == SwapOffset && d.o.SerialRecovery.DirectUpload && number > 0 && slot%2 == 1 {
		return Sector
	}
	return 0
}

// decrypt is what the bootloader does after its answer, once the first primary slot is complete: it decrypts the image
// in place, and again after each further chunk, for nothing says that it did (MCUboot boot_serial_encryption.c:
// boot_handle_enc_fw).
func (d *Device) decrypt(prog *program) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !prog.recoveryState.decrypt || !prog.alive() {
		return
	}
	prog.recoveryState.decrypt = false
	b := d.flash.slot(0)
	const encrypted = image.FlagEncryptedAES128 | image.FlagEncryptedAES256
	if binary.LittleEndian.Uint32(b) != imageMagic || image.Flags(binary.LittleEndian.Uint32(b[16:]))&encrypted == 0 {
		return
	}
	c := &call{d: d, prog: prog}
	if !c.spend(d.o.SerialRecovery.DecryptTime) {
		return
	}
	head, body := int(binary.LittleEndian.Uint16(b[8:])), int(binary.LittleEndian.Uint32(b[12:]))
	if end := head + body; head >= imageHeaderLen && body >= 0 && end <= len(b) {
		ToyCipher(b[head:end])
		d.keep(d.flash.save(head, body))
	}
}

// ToyCipher encrypts and decrypts the body of an image as the bootloader of this device does. As with the real cipher,
// doing it twice undoes it.
func ToyCipher(body []byte) {
	for i := range body {
		body[i] ^= 0x5a
	}
}
