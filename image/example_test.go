package image_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
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
	pub, err := key.ParsePublic(pem)
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
		fmt.Printf("%s:\n%v\n", name, img.Verify(pub))
	}
	// Output:
	// app-2.0.0.bin:
	// <nil>
	// app-2.0.0-otherkey.bin:
	// signature: by key 16ea0388…, not by the given ECDSA P-256 key d6707e59…
	// app-2.0.0-corrupt.bin:
	// image hash: SHA256 in the file is f79c4a65…, computed 9b2f3897…: the file was damaged or changed after signing
}

func ExampleImage_Decrypt() {
	read := func(name string) []byte {
		data, err := os.ReadFile("../testdata/image/" + name)
		if err != nil {
			log.Fatal(err)
		}
		return data
	}
	device, err := key.ParseDecryption(read("keys/enc-x25519.pem"), nil)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := key.ParsePublic(read("keys/ed25519.pub.pem"))
	if err != nil {
		log.Fatal(err)
	}
	img, err := image.Load(read("images/enc-x25519-aes256.bin"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("as it is:", errors.Is(img.Verify(signer), image.ErrEncrypted))
	plain, err := img.Decrypt(device)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("decrypted:", plain.Verify(signer))
	// Output:
	// as it is: true
	// decrypted: <nil>
}

func ExampleBuild() {
	pem, err := os.ReadFile("../testdata/image/keys/ed25519.pem")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := key.ParsePrivate(pem, nil)
	if err != nil {
		log.Fatal(err)
	}
	version := image.Version{Major: 1, Minor: 2, Revision: 3}
	counter := version.SecurityCounter()
	u, err := image.Build([]byte("firmware"), signer.Public(), image.BuildOptions{
		Version: version, HeaderSize: 0x200, PadHeader: true, SlotSize: 0x8000, SecurityCounter: &counter,
	})
	if err != nil {
		log.Fatal(err)
	}
	file, err := image.Sign(u, signer, rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	img, err := image.Parse(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(file), "bytes, version", img.Header.Version, "verified:", img.Verify(signer.Public()) == nil)
	// Output: 676 bytes, version 1.2.3+0 verified: true
}

// The signature may come from anywhere, in any usual encoding.
func ExampleUnsigned_Attach() {
	pem, err := os.ReadFile("../testdata/image/keys/ed25519.pub.pem")
	if err != nil {
		log.Fatal(err)
	}
	pub, err := key.ParsePublic(pem)
	if err != nil {
		log.Fatal(err)
	}
	u, err := image.Build([]byte("firmware"), pub, image.BuildOptions{PadHeader: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("to sign: %x…\n", u.Digest()[:8])
	_, err = u.Attach(make([]byte, 64))
	fmt.Println(errors.Is(err, image.ErrSignatureInvalid))
	// Output:
	// to sign: d3330a544793f410…
	// true
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
