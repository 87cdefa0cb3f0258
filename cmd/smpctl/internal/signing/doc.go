// Package signing has the commands sign and key, which need no device: images made of firmware and signed, keys made
// and exported.
//
//	firmware, options ─unsigned→ image.Unsigned ─completer→ signed, verified image ─writeImage→ file
//
// Package signer knows who signs, package image what is signed; here are the flags, and what is said of it.
package signing
