package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/image"
)

// MaxImageFile bounds the bytes of a file that is read as an image. Intel HEX takes nearly three times the bytes of the
// image, which is a few MiB at most.
const MaxImageFile = 64 << 20

// ReadImage reads an image file, .bin or Intel HEX. Everything that is wrong with it is of kind image.
func ReadImage(path string) (*image.Image, error) {
	data, err := ReadImageFile(path)
	if err != nil {
		return nil, err
	}
	return LoadImage(path, data)
}

// LoadImage parses an image, .bin or Intel HEX, that was read from path.
func LoadImage(path string, data []byte) (*image.Image, error) {
	img, err := image.Load(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

// ReadImageFile reads the bytes of a file that is an image, holds some, or becomes part of one. What hinders that is of
// kind image.
func ReadImageFile(path string) ([]byte, error) {
	data, err := Read(path, MaxImageFile)
	if err != nil {
		return nil, failure.AsImage(err)
	}
	return data, nil
}

// ReadInput reads any other file that a command line names: a key, a signature, a passphrase, what to send. What
// hinders that is wrong usage, for the name is wrong. What the file is stands before its name, unless that is empty.
func ReadInput(what, path string, limit int64) ([]byte, error) {
	data, err := Read(path, limit)
	if err == nil {
		return data, nil
	}
	if what != "" {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return nil, failure.WithHint(failure.AsUsage(err), "") // the sentence says it all
}

// Read reads a regular file of at most limit bytes. Its errors begin with the path.
func Read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path) // before the open, which would wait for the other end of a named pipe
	switch {
	case err != nil:
		return nil, FileError(path, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", path)
	case info.Size() > limit:
		return nil, TooLarge(path, limit)
	}
	var f *os.File
	err = unheld(func() (err error) {
		f, err = os.Open(path)
		return err
	})
	if err != nil {
		return nil, FileError(path, err)
	}
	defer f.Close()
	data := bytes.NewBuffer(make([]byte, 0, int(info.Size())+bytes.MinRead)) // so that a large file is held once
	_, err = data.ReadFrom(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, FileError(path, err)
	case int64(data.Len()) > limit:
		return nil, TooLarge(path, limit)
	}
	return data.Bytes(), nil
}

// SHA256 is the hash of a file's content in hexadecimal digits, as sha256sum shows it.
func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// TooLarge is about a file of more than limit bytes.
func TooLarge(path string, limit int64) error {
	if limit < 1<<20 {
		return fmt.Errorf("%s: is larger than %d KiB", path, limit>>10)
	}
	return fmt.Errorf("%s: is larger than %d MiB", path, limit>>20)
}

// FileError puts the user's path in front of the cause, without the name of the system call.
func FileError(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
