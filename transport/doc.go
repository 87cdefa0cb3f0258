// Package transport moves SMP packets over byte streams, which are serial ports, USB
// CDC ACM ports and TCP connections to a serial port, and over UDP.
//
// An SMP packet is an 8-byte header, whose bytes 2 and 3 are the big-endian
// length of what follows, and that many bytes. That is all this package knows
// about SMP; groups, commands and CBOR belong to package smp.
//
// On a console the packet travels base64-encoded in short lines, so that log
// text, prompts and packets can share one wire (Zephyr
// doc/services/device_mgmt/smp_transport.rst, "SMP over console"):
//
//	                 LEN            SMP packet                     CRC
//	raw bytes   | 00 13 | 0a 00 00 09 00 00 42 00 a1 61 ... 6f | 46 19 |
//	               |      LEN counts packet and CRC; CRC-16/XMODEM of the packet
//	               v      pieces of 93 bytes, each encoded on its own
//	first line     06 09 A B M K A A A J A A B C A K F h ... 0a
//	further lines  04 14 ...                                 0a
//
// [AppendFrame] and [Decoder] do that without any input or output. [Conn] joins
// them to a stream, and [Dial] opens the stream:
//
//	conn, err := transport.Dial(ctx, "usb:2fe3:0004", transport.Options{})
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	if err := conn.WritePacket(request); err != nil {
//		return err
//	}
//	reply, err := conn.ReadPacket()
//
// Over UDP each datagram is one bare packet.
//
// Damaged input is counted, never reported: a lost reply is the business of whoever waits for it. ReadPacket and
// WritePacket block until they are done or the link ends, and no goroutine runs behind them. What
// this package leaves out: matching replies to requests, time limits, retries. To whoever has waited
// in vain [Conn.Heard] says what came instead: nothing, text, unreadable bytes, an echo, other frames.
//
// A port is held by one process at a time. On Unix the lock is an flock(2) on
// the device node, so a killed process leaves nothing behind and every alias of
// the node is covered; on Windows the system itself does it.
package transport
