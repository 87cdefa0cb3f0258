package smp_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// A file goes to the device and comes back; both ways the device's own hash proves the copy.
func ExampleFSGroup() {
	ctx := context.Background()
	device, err := sim.NewDevice(sim.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	client := smp.NewClient(device.Link(), smp.Options{}) // for a real device: a transport.Conn
	defer client.Close()

	up, err := client.FS.Upload(ctx, "/lfs1/notes.txt", []byte("hello"), smp.FileUpload{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var content bytes.Buffer
	down, err := client.FS.Download(ctx, "/lfs1/notes.txt", &content, smp.FileDownload{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(content.String(), up.ComparedBy, down.ComparedBy)

	_, err = client.FS.Size(ctx, "/lfs1/other.txt")
	fmt.Println(err)
	// Output:
	// hello sha256 sha256
	// fs size: device refused: no such file (fs 3 FILE_NOT_FOUND)
}
