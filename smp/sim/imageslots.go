package sim

import "time"

func imageErase(c *call) *failure {
	// The slot opposite to the running one, unless the request names another.
	slot := uint32(c.d.active(0) ^ 1)
	if f := c.arguments(argUint("slot", &slot)); f != nil {
		return f
	}
	if slot >= uint32(2*c.d.flash.images()) {
		return imageFailure(imgOpenFailed, "")
	}
	n := int(slot)
	if _, rc := c.d.info(n); rc == 0 && c.d.inUse(n) || n == c.d.active(n/2) {
		return imageFailure(imgNoFreeSlot, "")
	}
	c.prog.upload = upload{}
	if !isErased(c.d.flash.slot(n)) {
		if f := c.erase(n, 0, c.d.flash.slotSize); f != nil {
			return f
		}
	}
	if c.d.o.Legacy {
		c.w.text("rc")
		c.w.int(0)
	}
	return nil
}

// timeOf is how many erase times a number of bytes takes.
func timeOf(n int) time.Duration { return time.Duration((n + Sector - 1) / Sector) }

func imageSlots(c *call) *failure {
	c.w.text("images")
	c.w.openList()
	for number := range c.d.flash.images() {
		c.w.openMap()
		c.w.text("image")
		c.w.uint(uint64(number))
		c.w.text("slots")
		c.w.openList()
		for slot := range 2 {
			c.describeSlot(number, slot)
		}
		c.w.close()
		c.w.close()
	}
	c.w.close()
	return nil
}

func (c *call) describeSlot(number, slot int) {
	n := 2*number + slot
	c.w.openMap()
	c.w.text("slot")
	c.w.uint(uint64(slot))
	c.w.text("size")
	c.w.uint(uint64(c.d.flash.slotSize))
	switch {
	case c.d.o.DirectUpload:
		c.w.text("upload_image_id")
		c.w.uint(uint64(n + 1))
	case n != c.d.active(number):
		c.w.text("upload_image_id")
		c.w.uint(uint64(number))
	}
	c.w.close()
}
