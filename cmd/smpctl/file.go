package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/smpctl/smpctl/image"
)

// maxImageFile bounds the bytes of a file that is read as an image. Intel HEX takes nearly three times the bytes of the
// image, which is a few MiB at most.
const maxImageFile = 64 << 20

// readImage reads an image file, .bin or Intel HEX. Everything that is wrong with it is of kind image.
func readImage(path string) (*image.Image, error) {
	data, err := readImageFile(path)
	if err != nil {
		return nil, err
	}
	return loadImage(path, data)
}

func loadImage(path string, data []byte) (*image.Image, error) {
	img, err := image.Load(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

// readImageFile reads the bytes of an image file.
func readImageFile(path string) ([]byte, error) {
	data, err := readFile(path, maxImageFile)
	if err != nil {
		return nil, asImage(err)
	}
	return data, nil
}

// readFile reads a regular file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path) // before the open, which would wait for the other end of a named pipe
	switch {
	case err != nil:
		return nil, fileError(path, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is not a regular file", path)
	case info.Size() > limit:
		return nil, tooLarge(path, limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer f.Close()
	data := bytes.NewBuffer(make([]byte, 0, int(info.Size())+bytes.MinRead)) // so that a large file is held once
	_, err = data.ReadFrom(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fileError(path, err)
	case int64(data.Len()) > limit:
		return nil, tooLarge(path, limit)
	}
	return data.Bytes(), nil
}

func tooLarge(path string, limit int64) error {
	if limit < 1<<20 {
		return fmt.Errorf("%s: is larger than %d KiB", path, limit>>10)
	}
	return fmt.Errorf("%s: is larger than %d MiB", path, limit>>20)
}

// fileError puts the user's path in front of the cause, without the name of the system call.
func fileError(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
