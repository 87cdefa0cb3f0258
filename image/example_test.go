package image_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/smpctl/smpctl/image"
)

func ExampleLoad() {
	data, err := os.ReadFile("../testdata/app-1.0.0.bin")
	if err != nil {
		log.Fatal(err)
	}
	img, err := image.Load(data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", img.Header.Version, "with", len(img.Body()), "bytes of firmware")
	fmt.Printf("image hash %x…\n", img.Hash()[:8])
	for _, t := range img.Unprotected {
		fmt.Println(t.Type)
	}
	// Output:
	// version 1.0.0+0 with 24576 bytes of firmware
	// image hash c155160174cffdfb…
	// SHA256
	// KEYHASH
	// ECDSA_SIG
}

func ExampleImage_Verify() {
	pem, err := os.ReadFile("../testdata/app.pub.pem")
	if err != nil {
		log.Fatal(err)
	}
	key, err := image.ParsePublicKey(pem)
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"app-2.0.0.bin", "app-2.0.0-otherkey.bin", "app-2.0.0-corrupt.bin"} {
		data, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			log.Fatal(err)
		}
		img, err := image.Load(data)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %v\n", name, img.Verify(key))
	}
	// Output:
	// app-2.0.0.bin: <nil>
	// app-2.0.0-otherkey.bin: signature: by key 16ea0388…, not by the given ECDSA P-256 key d6707e59…
	// app-2.0.0-corrupt.bin: image hash: SHA256 in the file is f79c4a65…, computed 9b2f3897…: the file was damaged or changed after signing
}

func ExampleError() {
	_, err := image.Load([]byte("PK\x03\x04 and so on"))
	fmt.Println(errors.Is(err, image.ErrBadMagic))
	fmt.Println(err)
	// Output:
	// true
	// not an MCUboot image: it is a zip archive: the images of an update package are inside
}

func ExampleParseVersion() {
	file, _ := image.ParseVersion("1.2.0+4")
	device, _ := image.ParseVersion("1.2.0.3") // devices put a dot before the build
	fmt.Println(file.Compare(device), file.CompareIgnoringBuild(device))
	// Output: 1 0
}
