package transport_test

import (
	"fmt"

	"github.com/smpctl/smpctl/transport"
)

func ExampleAppendFrame() {
	// An echo request: eight bytes of header, then {"d": "hello"} in CBOR.
	packet := append([]byte{0x0a, 0, 0, 9, 0, 0, 0x42, 0}, "\xa1adehello"...)
	fmt.Printf("%q\n", transport.AppendFrame(nil, packet, 0))
	// Output:
	// "\x06\tABMKAAAJAABCAKFhZGVoZWxsb0YZ\n"
}

func ExampleDecoder() {
	d := &transport.Decoder{Text: func(p []byte) { fmt.Printf("text   %q\n", p) }}
	for _, read := range []string{
		"uart:~$ \x06\tABQLAAAKAABC",
		"AL9hcmVoZWxsb/8s+w==\n<inf> app: alive\r\n",
	} {
		packet, rest := d.Next([]byte(read))
		for packet != nil {
			fmt.Printf("packet %x\n", packet)
			packet, rest = d.Next(rest)
		}
	}
	fmt.Println("damaged:", d.Stats().Damaged())
	// Output:
	// text   "uart:~$ "
	// packet 0b00000a00004200bf61726568656c6c6fff
	// text   "<inf> app: alive\r\n"
	// damaged: 0
}

func ExampleParseAddress() {
	for _, text := range []string{"/dev/ttyACM0", "usb:2FE3:4,if=2", "tcp:localhost:7000", "tcp:localhost"} {
		a, err := transport.ParseAddress(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(a)
	}
	// Output:
	// /dev/ttyACM0
	// usb:2fe3:0004,if=2
	// tcp:localhost:7000
	// address "tcp:localhost": needs HOST:PORT
}
