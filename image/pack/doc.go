// Package pack reads and makes update packages: files that carry the images of one update together. It works on bytes
// in memory, as package image does, and every error is an *[image.Error] with a kind of this package.
//
//	dfu_application.zip          dfu_multi_image
//	+-----------------------+    +------------------+----------------------+---------+---------+
//	| manifest.json         |    | length, 16 bits, | CBOR map             | image 0 | image 1 |
//	| app.signed.bin        |    | little endian    | {"img": [{"id",      |         |         |
//	| net.signed.bin        |    |                  |           "size"}]}  |         |         |
//	+-----------------------+    +------------------+----------------------+---------+---------+
//
// The first is what nRF Connect SDK builds make (scripts/bootloader/generate_zip.py) and phone apps take, the second
// what its dfu_multi_image library reads on a device.
//
//	p, err := pack.Parse(data)
//	for _, m := range p.Members {
//		img, err := m.Load() // an *image.Image
//	}
//
// A package comes from anywhere, so [Parse] bounds what it unpacks, and refuses an archive with names that lead out of
// a folder, with links, or with anything that could be read in two ways.
package pack
