package smp_test

import (
	"context"
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// board plays a device with one image: payloads of answers by operation, group and command, recorded from a real one.
func board(l *link, request []byte) {
	answers := map[command]string{
		params: "\xbf\x68buf_size\x19\x01\x80\x69buf_count\x04\xff",
		echo:   "\xbf\x61r\x65hello\xff",
		list: "\xbf\x66images\x9f\xbf\x64slot\x00\x67version\x651.0.0\x64hash\x58\x20" + "0123456789abcdef0123456789abcdef" +
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
