package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// upload is the state of the one upload that can be in progress. It is lost at a reset (Zephyr img_mgmt.h: struct
// img_mgmt_state).
type upload struct {
	going  bool
	slot   int // global number
	start  int // offset of the image in the slot
	size   int // bytes that were announced
	off    int // bytes received, and so the offset that is wanted next
	sha    []byte
	erased int // bytes from the start of the slot that were erased, when erasing progressively
}

const none = math.MaxUint32 // a number that the request does not have

// chunk is an upload request.
type chunk struct {
	image, off, size uint32
	data, sha        []byte
	upgrade          bool
}

func imageUpload(c *call) *failure {
	q := chunk{off: none, size: none}
	f := c.arguments(argUint("image", &q.image), argBytes("data", &q.data), argUint("len", &q.size),
		argUint("off", &q.off), argBytes("sha", &q.sha), argBool("upgrade", &q.upgrade))
	if f != nil {
		return f
	}
	u := &c.prog.upload
	switch {
	case q.off == none:
		f = imageFailure(imgInvalidOffset, "header malformed")
	case q.off == 0:
		f = c.firstChunk(u, q)
	case int(q.off) != u.off:
		// Not an error: the answer says where to go on.
	case int(q.off)+len(q.data) > u.size:
		f = imageFailure(imgDataOverrun, "data overrun")
	default:
		f = c.store(u, q.data)
	}
	if f != nil {
		*u = upload{}
		return f
	}
	c.uploadAnswer(u)
	return nil
}

// firstChunk begins an upload, or reports how far the same one got already.
func (c *call) firstChunk(u *upload, q chunk) *failure {
	switch {
	case len(q.data) < imageHeaderLen:
		return imageFailure(imgInvalidHeader, "header malformed")
	case q.size == none:
		return imageFailure(imgInvalidLength, "header malformed")
	case binary.LittleEndian.Uint32(q.data) != imageMagic:
		return imageFailure(imgInvalidMagic, "magic mismatch")
	case len(q.sha) > sha256.Size:
		return imageFailure(imgInvalidHash, "")
	case u.going && len(q.sha) > 0 && bytes.Equal(q.sha, u.sha):
		return nil
	}
	slot := c.d.uploadSlot(q.image)
	if slot < 0 {
		return imageFailure(imgNoFreeSlot, "no slot")
	}
	if f := c.checkFirst(slot, q); f != nil {
		return f
	}
	*u = upload{going: true, slot: slot, start: c.d.imageStart(slot), size: int(q.size), sha: bytes.Clone(q.sha)}
	if c.d.o.ImageCheck && len(u.sha) == sha256.Size && c.matches(u) {
		u.off = u.size
		return nil
	}
	if f := c.clear(u); f != nil {
		return f
	}
	return c.store(u, q.data)
}

// checkFirst checks what the header of the image says against the slot and the running image.
func (c *call) checkFirst(slot int, q chunk) *failure {
	const fixed = 0x100 // image.h: IMAGE_F_ROM_FIXED
	size := c.d.flash.slotSize
	if q.size > uint32(size-c.d.imageStart(slot)) {
		return imageFailure(imgTooLarge, "img too large")
	}
	isFixed := binary.LittleEndian.Uint32(q.data[16:])&fixed != 0
	if isFixed && !c.d.o.Mode.swaps() && binary.LittleEndian.Uint32(q.data[4:]) != slotAddress(slot, size) {
		return imageFailure(imgInvalidAddress, "img addr mismatch")
	}
	if !q.upgrade {
		return nil
	}
	running, rc := c.d.info(c.d.active(0))
	if rc != 0 {
		return imageFailure(imgVersionFailed, "")
	}
	if running.version.CompareIgnoringBuild(headerVersion(q.data)) >= 0 {
		return imageFailure(imgVersionNotNewer, "downgrade")
	}
	return nil
}

// uploadSlot gives the slot for an upload, -1 if there is none (Zephyr zephyr_img_mgmt.c:
// img_mgmt_get_unused_slot_area_id).
func (d *Device) uploadSlot(number uint32) int {
	images := uint32(d.flash.images())
	slot := -1
	switch {
	case d.o.DirectUpload && number > 2*images:
	case d.o.DirectUpload && number > 0:
		slot = int(number) - 1
	case images == 1:
		slot = d.active(0) ^ 1
	case number < images:
		slot = d.active(int(number)) ^ 1
	}
	if slot < 0 || d.inUse(slot) {
		return -1
	}
	return slot
}

// clear makes room for an upload: the sectors of the image and those of the trailer, unless the slot is blank.
func (c *call) clear(u *upload) *failure {
	size := c.d.flash.slotSize
	trailer := size - roundUp(trailerSize(c.d.o.Mode, size))
	switch {
	case c.d.o.Progressive:
		return c.erase(u.slot, trailer, size)
	case isErased(c.d.flash.slot(u.slot)):
		return nil
	}
	end := roundUp(u.start + u.size)
	if f := c.erase(u.slot, 0, end); f != nil || end >= size {
		return f
	}
	return c.erase(u.slot, max(end, trailer), size)
}

// erase clears the sectors between two offsets and takes its time.
func (c *call) erase(slot, from, to int) *failure {
	if to <= from {
		return nil
	}
	if !c.spend(c.d.o.EraseTime * timeOf(to-from)) {
		return protocolFailure(rcUnknown) // the reset ate the answer anyway
	}
	if c.d.flash.erase(slot, from, to-from) != nil {
		return imageFailure(imgEraseFailed, "fa erase fail")
	}
	return nil
}

// store writes data at the present offset and ends the upload with the last byte.
func (c *call) store(u *upload, data []byte) *failure {
	if u.off+len(data) < u.size {
		data = data[:len(data)-len(data)%c.d.o.AlignWrite]
	}
	end := u.start + u.off + len(data)
	if end > c.d.flash.slotSize {
		return imageFailure(imgWriteFailed, "fa write fail")
	}
	if c.d.o.Progressive && end > u.erased {
		next := roundUp(end)
		if f := c.erase(u.slot, u.erased, next); f != nil {
			return f
		}
		u.erased = next
	}
	if c.d.flash.write(u.slot, u.start+u.off, data) != nil {
		return imageFailure(imgWriteFailed, "fa write fail")
	}
	u.off += len(data)
	return nil
}

// uploadAnswer tells the offset that is wanted next. A complete upload is forgotten with this answer.
func (c *call) uploadAnswer(u *upload) {
	if c.d.o.Legacy {
		c.w.text("rc")
		c.w.int(0)
	}
	c.w.text("off")
	c.w.uint(uint64(u.off))
	if !u.going || u.off != u.size {
		return
	}
	if c.d.o.ImageCheck {
		c.w.text("match")
		c.w.bool(c.matches(u))
	}
	c.last = true
	*u = upload{}
}

// matches reports whether the slot holds the file whose hash the request carried.
func (c *call) matches(u *upload) bool {
	sum := sha256.Sum256(c.d.flash.slot(u.slot)[u.start:][:u.size])
	return bytes.Equal(sum[:], u.sha)
}
