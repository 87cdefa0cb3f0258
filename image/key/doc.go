// Package key reads, makes and exports the keys of MCUboot images: those that sign and verify, and those that images
// are encrypted for. It works on bytes in memory: it opens no files and asks nobody for a passphrase.
//
// A key file is read for what it is to do:
//
//	pub, err := key.ParsePublic(pem)                // for image.Image.Verify and image.Build
//	signer, err := key.ParsePrivate(pem, ask)       // for image.Sign
//	to, err := key.ParseEncryption(pem)             // for image.Encryption
//	private, err := key.ParseDecryption(pem, ask)   // for image.Image.Decrypt
//
// Keys are values of the standard library. A key that MCUboot cannot use, or with which a signature proves nothing, is
// refused by all of this package, and by package image as well. Every error is an [*image.Error].
package key
