// Package image reads and checks MCUboot firmware images. It works on bytes
// in memory: it opens no files and talks to no device.
//
// An image as the bootloader sees it (MCUboot, docs/design.md and
// boot/bootutil/include/bootutil/image.h; all numbers little endian):
//
//	0           H              H+S              H+S+P            Size
//	| header    | body         | protected TLVs | unprotected    | (trailing)
//	| 32 bytes, | S bytes      | P bytes        | TLVs: hash,    | padding and
//	| padding   |              | may be absent  | key, signature | swap trailer
//	|<-------- covered by hash and signature -->|
//
// Reading a file and making sure that it is whole and signed by the right key
// takes four calls:
//
//	img, err := image.Load(data)             // .bin or Intel HEX
//	key, err := image.ParsePublicKey(pem)
//	err = img.Verify(key)                    // hash, key hash, signature
//	fmt.Println(img.Header.Version, img.Size())
//
// Two digests are easily mixed up. [Image.Hash] is the image hash: it stands in
// the file, covers header, body and protected TLVs, and is how a device lists
// and addresses an image. [Image.FileHash] covers every byte of the file and is
// what an upload request carries.
//
// The parser is strict: a file that the bootloader would refuse, or that could
// be read in two ways, is an error. Every error of this package is an [*Error]
// whose [Kind] tells the causes apart.
//
// Decryption and decompression are left out. The hash of an encrypted image
// covers the plaintext, so it cannot be checked here; [Image.CheckHash] and
// [Image.Verify] say so with [ErrEncrypted] instead of guessing.
package image
