// Archive packs a folder into a .tar.gz or .zip whose bytes depend on nothing but names and contents of the files,
// whether they can be executed, and the time:
//
//	archive SECONDS-SINCE-1970 FILE FOLDER
//
// The archive holds the folder itself. Anything in it but folders and regular files is an error.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("archive: ")
	if len(os.Args) != 4 {
		log.Fatal("usage: archive SECONDS-SINCE-1970 FILE FOLDER")
	}
	seconds, err := strconv.ParseInt(os.Args[1], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	if err := pack(time.Unix(seconds, 0).UTC(), os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

// add puts a file into an archive.
type add func(name string, mode fs.FileMode, content []byte) error

func pack(at time.Time, to, folder string) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	write := tarball
	if strings.HasSuffix(to, ".zip") {
		write = zipped
	}
	err = write(f, at, func(a add) error { return files(folder, a) })
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// files adds all files of a folder, in the order of their names.
func files(folder string, a add) error {
	return filepath.WalkDir(folder, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if !e.Type().IsRegular() {
			return fmt.Errorf("%s is not a regular file", file)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		return a(path.Join(filepath.Base(folder), filepath.ToSlash(below)), mode, content)
	})
}

func tarball(w io.Writer, at time.Time, fill func(add) error) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	err = fill(func(name string, mode fs.FileMode, content []byte) error {
		h := &tar.Header{Name: name, Mode: int64(mode), Size: int64(len(content)), ModTime: at, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func zipped(w io.Writer, at time.Time, fill func(add) error) error {
	z := zip.NewWriter(w)
	err := fill(func(name string, mode fs.FileMode, content []byte) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
		h.SetMode(mode)
		entry, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = entry.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	return z.Close()
}
