// Package dfu carries out a whole firmware update over package smp.
//
//	          +--------+   +------+   +-------+   +--------+   +-------+   +---------+
//	device -> | upload |-> | mark |-> | reset |-> | verify |-> | check |-> | confirm |
//	          +--------+   +------+   +-------+   +--------+   +-------+   +---------+
//	          hash is in   boots at   answers     runs the     caller's    device says
//	          its list     next reset again       new hash     own test    it stays
//
// [Run] reads the device's image list, plans the steps that are left, takes them, and counts each one done only on the
// device's word. An interrupted update that is started again plans from where the device is. [DryRun] stops at the
// plan.
//
//	report, err := dfu.Run(ctx, dial, []dfu.Target{{File: img}}, dfu.Options{})
//
// The bootloader decides what runs, without a word to the host: an image with a wrong signature uploads and is marked,
// and after the reset the old one runs. Run then returns a [*NotRunningError]. One pure function names every result,
// from what the device showed before and after; what cannot be known is [Unverified].
//
// After a reset Run sends only what a bootloader does not hear, because a request in MCUboot's wait window would end a
// test before it began. A test that is lost all the same is repeated, and a device that is in its bootloader is started
// first.
//
// [Recover] is for a device without a working application: it uploads through MCUboot's serial recovery. [Reboot] only
// resets. [Request.Do] has a device mark, confirm or erase, and [Request.Shown] says whether its image lists show it
// done.
//
// # Terms
//
// As in MCUboot, an image is booted for a test, to which the next reset puts an end (revert), or permanently; an image
// that runs for a test is made permanent by confirming it. A mark selects an image for the next boot. A test is lost if
// the device reverts and nothing says that the image is to blame.
package dfu
