// Package signer has images signed: by a private key file, or by somebody outside of this process who holds the key.
//
//	complete, public, err := signer.Open(ctx, signer.Options{Name: "exec:./kms.sh", PublicKey: "pub.pem", …})
//	u, err := image.Build(firmware, public, options)
//	file, err := complete(ctx, u)
//
// exec: runs a command, pkcs11: the helper for tokens, and a [Request] is a file for a vault on another machine. What
// comes back from outside is verified before it becomes part of a file. docs/signing.md has the exchanges. The package
// knows no command line and no terminal: secrets come from a [secret.Source], what a signer says goes to a function.
package signer
