package signer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// RequestFile is a file that the image is made of. The path is relative to the request, so that both can move together.
type RequestFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// RecordFile takes down a file for a request that is written to another one.
func RecordFile(path, request string) (RequestFile, error) {
	data, err := files.Read(path, files.MaxImageFile)
	if err != nil {
		return RequestFile{}, failure.AsImage(err)
	}
	sum := sha256.Sum256(data)
	return RequestFile{relativeTo(request, path), hex.EncodeToString(sum[:])}, nil
}

// relativeTo is the path from the folder of a file to another one. Slashes make it good on every system.
func relativeTo(file, path string) string {
	from, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return path
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(from, to)
	if err != nil { // on another volume
		return to
	}
	return filepath.ToSlash(relative)
}

// From is where a request that lies at the given path means the file to be.
func (f RequestFile) From(request string) string {
	path := filepath.FromSlash(f.Path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(request), path)
}

// Check makes sure that the file still is what it was.
func (f RequestFile) Check(path string) error {
	data, err := files.Read(path, files.MaxImageFile)
	if err != nil {
		return failure.AsImage(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		return failure.AsImage(fmt.Errorf("%s: is not the file that was prepared: its SHA-256 is %x…, "+
			"it was %.8s…: it was built again; prepare it again too, and have that signed", path, sum[:4], f.SHA256))
	}
	return nil
}
