package key

import (
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/smpctl/smpctl/image"
)

// decryptBlock returns the DER inside an encrypted PEM block.
func decryptBlock(block *pem.Block, passphrase func() ([]byte, error)) ([]byte, error) {
	if passphrase == nil {
		return nil, fail(ErrPassphrase, "private key: the file is encrypted and no passphrase was given")
	}
	if block.Type != "ENCRYPTED PRIVATE KEY" {
		return decryptOld(block, passphrase)
	}
	scheme, err := parsePBES2(block.Bytes)
	if err != nil {
		return nil, err
	}
	secret, err := ask(passphrase)
	if err != nil {
		return nil, err
	}
	return scheme.decrypt(secret)
}

// ask gets a passphrase that is not empty.
func ask(passphrase func() ([]byte, error)) ([]byte, error) {
	secret, err := passphrase()
	if err != nil {
		return nil, err
	}
	if len(secret) == 0 {
		return nil, errEmptyPassphrase()
	}
	return secret, nil
}

func errEmptyPassphrase() error { return fail(ErrPassphrase, "private key: the passphrase is empty") }

// isOldEncrypted reports whether a block has the encryption that OpenSSL had before
// PKCS#8 (RFC 1421: Proc-Type, DEK-Info).
func isOldEncrypted(block *pem.Block) bool { return block.Headers["DEK-Info"] != "" }

func decryptOld(block *pem.Block, passphrase func() ([]byte, error)) ([]byte, error) {
	secret, err := ask(passphrase)
	if err != nil {
		return nil, err
	}
	// Weak as it is, people have such files, and reading one makes it no weaker.
	der, err := x509.DecryptPEMBlock(block, secret) //lint:ignore SA1019 as said
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, errWrongPassphrase()
	case err != nil:
		return nil, fail(image.ErrBadKey, "private key: %v", err)
	}
	return der, nil
}
