// Package sim is a virtual board: an SMP server as in Zephyr, the bootloader MCUboot, and the flash that they share. It
// runs inside the program, so that tools, libraries and production scripts can be tried before there is a board.
//
//	            requests             ┌──────────── Device ─────────────┐
//	Link    ───────────── packets ──>│ packet   work     OS group      │
//	Stream  ── bytes ─> lines ──────>│ buffers  queue    image group ──┼─> slot 0 │ slot 1 │ …
//	Serve   ── TCP ───> lines ──────>│                          reset ─┼─> MCUboot ──┘
//	ServePTY ─ tty ───> lines ──────>│                                 │
//	         <── answers ────────────└─────────────────────────────────┘
//
// It is meant to be as awkward as the real thing: small buffers that fill up without a word, wrong upload offsets
// answered as success, an upload forgotten once it is complete, whole slots erased before the first answer, answers in
// CBOR of indefinite length, silence after a reset, images that the bootloader refuses without telling, reverts, and
// MCUboot's serial recovery with its own rules.
// [Options] choose the build, [Faults] what goes wrong. A [Rack] has several boards with what they show on USB, which are
// plugged in and pulled out.
//
// In ten lines:
//
//	board, err := sim.NewDevice(sim.Options{})
//	…
//	defer board.Close()
//	client := smp.NewClient(board.Link(), smp.Options{})
//	images, err := client.Image.List(ctx)
//
// The server does not share code with package smp beyond the packet header, nor framing with package transport: it is a
// second opinion on the protocol. Time passes in timers only, and what is in memory blocks on channels only, so that
// testing/synctest can run whole updates in no time. Only [Device.Serve] and [Device.ServePTY] talk to the system.
//
// The bootloader is a model of MCUboot that takes the same steps: what it reads, erases and writes, and in which order.
// It was compared with MCUboot itself, every byte of the flash, over all states of the trailers and many histories with
// power cuts; testdata/mcuboot has recorded answers. Where an assertion of MCUboot fails or a loop of it has no end
// this one stops, says so on the console, and the device stays dark. A reset or power cut while images are moved leaves
// them half moved, and the next boot goes on.
//
// Left out: real encryption and compression, swaps with a scratch area, bootstrapping from slot 1, security counters.
// Flash operations are whole or not at all.
package sim
