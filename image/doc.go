// Package image reads, checks, builds and signs MCUboot firmware images. It works
// on bytes in memory: it opens no files and talks to no device.
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
//	pub, err := key.ParsePublic(pem)         // package image/key
//	err = img.Verify(pub)                    // hash, key hash, signature
//	fmt.Println(img.Header.Version, img.Size())
//
// Making one takes a firmware binary, the options of imgtool and a key, which may
// be anywhere: [Build] needs its public half only, and [Sign] a [crypto.Signer]:
//
//	o := image.BuildOptions{Version: v, HeaderSize: 0x200, PadHeader: true}
//	u, err := image.Build(firmware, signer.Public(), o)
//	file, err := image.Sign(u, signer, rand.Reader)
//
// Where no signer can be called, [Unsigned.Attach] takes a signature of
// [Unsigned.Digest] that was made elsewhere.
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
// Hash and signature of an encrypted image cover the plaintext, so without the
// device's key the best answer is [ErrEncrypted]; with it, [Image.Decrypt] returns
// an image that can be verified like any other. A compressed image carries hash and
// signature twice, of what is stored and of what will run ([Image.Decompress]);
// Verify checks both.
package image
