// Package smp speaks the Simple Management Protocol (SMP, also known as MCUmgr) to devices that run Zephyr and MCUboot.
//
// A request and its response are packets: a header of 8 bytes and one CBOR map.
//
//	 0        1        2        3        4        5        6        7        8
//	+--------+--------+--------+--------+--------+--------+--------+--------+---- - -
//	|ver op  | flags  |     length      |      group      |sequence|command | CBOR map
//	+--------+--------+--------+--------+--------+--------+--------+--------+---- - -
//
// The response has op + 1 and the same group, sequence and command. A [Client] sends many requests at a time over one
// [Link], matches the responses and drops everything else:
//
//	link, err := transport.Dial(ctx, "/dev/ttyACM0", transport.Options{Baud: 115200})
//	if err != nil {
//		return err
//	}
//	client := smp.NewClient(link, smp.Options{})
//	defer client.Close()
//	list, err := client.Image.List(ctx)
//
// Every command is a method of its group: [OSGroup], [ImageGroup], [StatGroup], [SettingsGroup], [FSGroup],
// [ShellGroup], [EnumGroup], [ZephyrGroup], and Mynewt's [LogGroup], [RunGroup] and [CrashGroup]. Commands of an
// application's own are values of type [Command]; [Client.Raw] sends bytes. A refusal by the device is a
// [*DeviceError], silence is [ErrNoReply], a dead link [ErrClosed].
//
// What it leaves out: how bytes become packets (package transport), what is in an image (package image), and the order
// of steps that makes an update (package smp/dfu).
package smp
