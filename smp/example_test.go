package smp_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/smpctl/smpctl/smp"
)

// board plays a device with one image: payloads of answers by operation, group and command, recorded from a real one.
func board(l *link, request []byte) {
	answers := map[command]string{
		params: "\xbf\x68buf_size\x19\x01\x80\x69buf_count\x04\xff",
		echo:   "\xbf\x61r\x65hello\xff",
		list: "\xbf\x66images\x9f\xbf\x64slot\x00\x67version\x651.0.0\x64hash\x58\x20" +
			"0123456789abcdef0123456789abcdef" +
			"\x68bootable\xf5\x67pending\xf4\x69confirmed\xf5\x66active\xf5\x69permanent\xf4\xff\xff\x6bsplitStatus\x00\xff",
		upload: "\xbf\x62rc\x00\x63off\x18\x64\xff",
	}
	l.reply(response(request, []byte(answers[commandOf(request)])))
}

func ExampleClient() {
	ctx := context.Background()
	client := smp.NewClient(newLink(board), smp.Options{}) // for a real device: a transport.Conn
	defer client.Close()

	text, err := client.OS.Echo(ctx, "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text)
	// Output: hello
}

func ExampleImageGroup_List() {
	ctx := context.Background()
	client := smp.NewClient(newLink(board), smp.Options{})
	defer client.Close()

	images, err := client.Image.List(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range images.Images {
		fmt.Println("slot", i.Slot, "version", i.Version, "hash", i.Hash.Short(), "active", i.Active)
	}
	// Output: slot 0 version 1.0.0 hash 30313233 active true
}

func ExampleImageGroup_Upload() {
	ctx := context.Background()
	client := smp.NewClient(newLink(board), smp.Options{})
	defer client.Close()

	file := make([]byte, 100) // for a real device: an image that imgtool signed
	result, err := client.Image.Upload(ctx, file, smp.ImageUpload{
		OnProgress: func(p smp.Progress) { fmt.Println(p.Done, "of", p.Total, "bytes") },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("sent again:", result.Resent, "bytes")
	// Output:
	// 100 of 100 bytes
	// sent again: 0 bytes
}

func ExampleIsUnsupported() {
	ctx := context.Background()
	client := smp.NewClient(newLink(func(l *link, request []byte) {
		l.reply(response(request, []byte("\xbf\x62rc\x08\xff"))) // has no command at all
	}), smp.Options{})
	defer client.Close()

	_, err := client.Image.Slots(ctx)
	fmt.Println(err)
	fmt.Println(smp.IsUnsupported(err))
	// Output:
	// slot info: device refused: the device does not have this command (rc 8 ENOTSUP)
	// true
}

// A group of the application's own: group 64, command 2 reads a sensor. The structs hold the keys that the firmware
// uses.
func ExampleCommand() {
	type request struct {
		Channel int `cbor:"channel"`
	}
	type answer struct {
		Celsius float64 `cbor:"celsius"`
		Serial  []byte  `cbor:"serial"`
	}
	readSensor := smp.Command[request, answer]{Name: "read sensor", Group: smp.GroupUser, ID: 2, Op: smp.Read}

	ctx := context.Background()
	client := smp.NewClient(newLink(sensorBoard), smp.Options{})
	defer client.Close()
	for channel := range 2 {
		value, err := readSensor.Do(ctx, client, request{channel})
		fmt.Printf("%.1f %x %v\n", value.Celsius, value.Serial, err)
	}
	// Output:
	// 21.5 00ff <nil>
	// 0.0  read sensor: device refused: unknown error (group 64 3)
}

// sensorBoard has command 2 of group 64, for channel 0 alone.
func sensorBoard(l *link, request []byte) {
	switch {
	case commandOf(request) == params:
		l.reply(response(request, goodParams))
	case string(request[smp.HeaderLen:]) == "\xa1\x67channel\x00":
		l.reply(response(request, encode(reply{"celsius": 21.5, "serial": []byte{0, 255}})))
	default:
		l.reply(response(request, []byte("\xbf\x63err\xbf\x65group\x18\x40\x62rc\x03\xff\xff")))
	}
}

// Bytes in, bytes out, with any encoding of your own.
func ExampleClient_Raw() {
	ctx := context.Background()
	client := smp.NewClient(newLink(sensorBoard), smp.Options{})
	defer client.Close()

	payload, err := client.Raw(ctx, smp.Read, smp.GroupUser, 2, []byte("\xa1\x67channel\x01"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", payload)
	fmt.Println(smp.Refusal("channel 1", smp.GroupUser, payload))
	// Output:
	// bf63657272bf6567726f7570184062726303ffff
	// channel 1: device refused: unknown error (group 64 3)
}

// Many devices at a time: a client for each, and nothing shared.
func ExampleClient_many() {
	ctx := context.Background()
	versions := make([]string, 3)
	var work sync.WaitGroup
	for i := range versions {
		work.Go(func() {
			client := smp.NewClient(newLink(board), smp.Options{}) // for real devices: their ports
			defer client.Close()
			list, err := client.Image.List(ctx)
			if err != nil {
				versions[i] = err.Error()
				return
			}
			versions[i] = list.Images[0].Version
		})
	}
	work.Wait()
	fmt.Println(versions)
	// Output: [1.0.0 1.0.0 1.0.0]
}

// What a refusal was about.
func ExampleDeviceError() {
	ctx := context.Background()
	client := smp.NewClient(newLink(func(l *link, request []byte) {
		l.reply(response(request, encode(reply{"err": reply{"group": 3, "rc": 3}})))
	}), smp.Options{})
	defer client.Close()

	_, err := client.Settings.Get(ctx, "app/name")
	var refused *smp.DeviceError
	if errors.As(err, &refused) {
		fmt.Println(refused.Group, refused.Code, refused.Name())
	}
	// Output: settings 3 KEY_NOT_FOUND
}
