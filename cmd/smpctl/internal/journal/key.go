package journal

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// maxKey bounds the bytes of a key file; one of ours has some 120.
const maxKey = 1 << 16

// StationKey reads the station's own Ed25519 key (PKCS #8 in PEM), which signs its journals. If there is none, it is
// made, for the user alone, and its public half beside it, as [PublicKeyPath] says, for who checks the records.
func StationKey(path string) (ed25519.PrivateKey, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, files.FileError(filepath.Dir(path), err)
	}
	if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) { // another smpctl may have made it meanwhile
		return nil, err
	}
	return readKey(path)
}

// PublicKeyPath is where the public half of a station's key lies: beside it, such as station.pub.pem.
func PublicKeyPath(path string) string { return strings.TrimSuffix(path, ".pem") + ".pub.pem" }

// KeyPath is where the key of this computer's user lies, outside of any folder of records: who can only change records
// cannot sign them. It looks in the given environment first.
func KeyPath(env func(string) (string, bool)) (string, error) {
	return files.ConfigPath(env, "station.pem")
}

func readKey(path string) (ed25519.PrivateKey, error) {
	data, err := files.Read(path, maxKey)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: is no key in PEM", path)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := any.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s: is no Ed25519 private key", path)
	}
	return key, nil
}

// makeKey makes a key. It appears whole, and only where there is none.
func makeKey(path string) error {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	written := files.Options{Durable: true}
	half := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	whole := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if err := files.Write(path, whole, files.Options{Private: true, New: true, Durable: true}); err != nil {
		return err
	}
	return files.Write(PublicKeyPath(path), half, written)
}
