// Package dfu carries out a whole firmware update over package smp.
//
//	          +--------+   +------+   +-------+   +--------+   +-------+   +---------+
//	device -> | upload |-> | mark |-> | reset |-> | verify |-> | check |-> | confirm |
//	          +--------+   +------+   +-------+   +--------+   +-------+   +---------+
//	          hash is in   boots at   answers     runs the     caller's    device says
//	          its list     next reset again       new hash     own test    it stays
//
// [Plan] is pure: from the device's image list and the files it tells the steps that are left. [Run] reads the list,
// takes the steps, and counts each one done only on the device's word. An interrupted update that is started again
// plans from where the device is.
//
//	report, err := dfu.Run(ctx, dial, []dfu.Target{{File: img}}, dfu.Options{})
//
// The bootloader decides what runs, without a word to the host: an image with a wrong signature uploads and is marked,
// and after the reset the old one runs. Run then returns a [*NotRunningError]. One pure function names every result,
// from what the device showed before and after; what cannot be known is [Unverified].
//
// After a reset Run sends only what a bootloader does not hear, because a request in MCUboot's wait window would end a
// trial before it began. A trial that is lost all the same is begun again, and a device that is in its bootloader is
// started first.
//
// [Recover] is for a device without a working application: it uploads through MCUboot's serial recovery. [Ask] has a
// device take one such step by itself, and [Shown] says whether its image lists show it done.
package dfu
