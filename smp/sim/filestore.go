package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// fileStore keeps the files that can be written beside a flash file, in one file of JSON with ".files" behind its name.
// It is replaced as a whole whenever the device closes a file, as littlefs would leave it.
type fileStore struct{ name string }

const fileStoreFormat = 1

// fileStoreBody is the content; bytes are in base64.
type fileStoreBody struct {
	Format int               `json:"smpctl_files"`
	Files  map[string][]byte `json:"files"`
}

// openFiles gives the files of a device: those of the store if the flash is an older one, else the ones from the
// factory.
func openFiles(o Options, fresh bool) (files, error) {
	f := newFiles(o.FSSize)
	if o.Flash == "" {
		return f, nil
	}
	f.store = &fileStore{o.Flash + ".files"}
	if fresh {
		return f, nil
	}
	return f, f.load()
}

// load replaces the files that can be written by those of the store, if it exists.
func (f *files) load() error {
	info, err := os.Stat(f.store.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var body fileStoreBody
	if err == nil && info.Size() > int64(2*f.capacity)+Sector {
		err = errors.New("is larger than the file system")
	}
	if err == nil {
		var b []byte
		if b, err = os.ReadFile(f.store.name); err == nil &&
			(json.Unmarshal(b, &body) != nil || body.Format != fileStoreFormat) {
			err = errors.New("is not the file system of a virtual device")
		}
	}
	if err != nil {
		return fmt.Errorf("file system %s: %w", f.store.name, err)
	}
	for name := range f.byName {
		if strings.HasPrefix(name, mountRW) {
			delete(f.byName, name)
		}
	}
	for name, content := range body.Files {
		if f.writable(name) == 0 {
			f.byName[name] = content
		}
	}
	return nil
}

// save writes the store, if there is one.
func (f *files) save() error {
	if f.store == nil {
		return nil
	}
	body := fileStoreBody{Format: fileStoreFormat, Files: map[string][]byte{}}
	for name, content := range f.byName {
		if strings.HasPrefix(name, mountRW) {
			body.Files[name] = content
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return f.store.replace(b)
}

func (s *fileStore) replace(b []byte) error {
	next, err := createBeside(s.name)
	if err != nil {
		return err
	}
	_, err = next.Write(b)
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(next.Name(), s.name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	return nil
}
