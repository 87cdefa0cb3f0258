package dfu_test

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/image"
)

// read is the image list, with what is odd about it. The lock is held.
func (d *stranger) read() fields {
	d.reads++
	list := d.list()
	switch {
	case d.odd.list == "flickers" && d.reads%2 == 0:
		list = []any{}
	case d.odd.list == "late" && d.before != nil && d.reads%3 != 0:
		list = d.before
	}
	return d.images(list)
}

func (d *stranger) images(list []any) fields {
	if d.odd.list == "frugal" || d.state == inRecovery {
		return fields{"images": list}
	}
	return fields{"images": list, "splitStatus": 0}
}

// list is the truth, as far as the shape of the list lets it through. The lock is held.
func (d *stranger) list() []any {
	list := []any{}
	for n, m := range d.slots {
		if m == nil || n != d.run && d.odd.list == "one-slot" {
			continue
		}
		e := d.entry(n, m)
		list = append(list, e)
	}
	if old := d.slots[1-d.run]; d.odd.list == "twice" && old != nil { // the running slot as it was before, too
		e := d.entry(1-d.run, old)
		e["slot"], e["active"], e["confirmed"], e["pending"] = d.run, true, true, false
		list = append([]any{e}, list...)
	}
	return list
}

// entry is a slot of the list.
func (d *stranger) entry(n int, m *image.Image) fields {
	v := m.Header.Version
	e := fields{"slot": n, "version": fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Revision), "hash": m.Hash()}
	if d.state == inRecovery {
		return e
	}
	runs := n == d.run
	flags := map[string]bool{
		"bootable": true, "active": runs && d.odd.list != "inactive", "confirmed": runs != d.trial,
		"pending": !runs && d.selected, "permanent": !runs && d.selected && d.forGood,
	}
	for name, set := range flags {
		if set || d.odd.list != "frugal" {
			e[name] = set
		}
	}
	switch d.odd.list {
	case "no-hashes":
		e["hash"] = []byte{}
	case "no-hash-running":
		if runs {
			delete(e, "hash")
		}
	case "numbered":
		e["image"] = 1
	case "doubled":
		e["image"] = n
	}
	return e
}

// write is the state write: a mark for the next boot, or the confirmation of what runs. The lock is held.
func (d *stranger) write(body []byte) fields {
	var q struct {
		Hash    []byte `cbor:"hash"`
		Confirm bool   `cbor:"confirm"`
	}
	if d.state == inRecovery || cbor.Unmarshal(body, &q) != nil {
		return unsupported
	}
	runs := bytes.Equal(q.Hash, d.slots[d.run].Hash())
	if len(q.Hash) == 0 || runs {
		return d.confirm(q.Confirm)
	}
	other := d.slots[1-d.run]
	if other == nil || !bytes.Equal(q.Hash, other.Hash()) {
		return refusal(8) // HASH_NOT_FOUND
	}
	return d.mark(q.Confirm)
}

// mark selects the slot that does not run.
func (d *stranger) mark(forGood bool) fields {
	before := d.list()
	switch d.odd.mark {
	case "unsupported":
		return unsupported
	case "refused":
		return refusal(23) // IMAGE_ALREADY_PENDING
	case "nothing":
		return d.images(before)
	}
	d.selected, d.forGood = true, forGood
	switch d.odd.mark {
	case "refused-and-done":
		return refusal(23)
	case "late":
		return d.images(before)
	case "once":
		d.forGood = false
	}
	return d.images(d.list())
}

// confirm makes what runs stay.
func (d *stranger) confirm(asked bool) fields {
	switch {
	case !asked:
		return refusal(33) // IMAGE_SETTING_TEST_TO_ACTIVE_DENIED
	case d.odd.confirm == "unsupported":
		return unsupported
	case d.odd.confirm == "refused":
		return refusal(32) // IMAGE_CONFIRMATION_DENIED
	case d.odd.confirm == "nothing":
		return d.images(d.list())
	case d.odd.confirm == "claimed":
		trial := d.trial
		d.trial = false
		list := d.list()
		d.trial = trial
		return d.images(list)
	case d.odd.confirm == "bootloader": // it fell into it by itself, and that answers
		d.restart()
		d.state = inRecovery
		return unsupported
	case d.odd.confirm == "resets":
		d.restart()
		return nil
	}
	d.trial = false
	return d.images(d.list())
}
