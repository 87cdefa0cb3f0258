package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// flashFile keeps a flash on disk. The first sector is a line of JSON that says what it is, then follow the slots, byte
// for byte:
//
//	{"smpctl_flash":1,"images":1,"slot_size":262144,"running":[0],…}\n ff ff …   4096 bytes
//	slot 0 | slot 1 | slot 2 | …
//
// Uploads are written in place, as on a board: a program that is killed leaves half an upload. Boots replace the file
// as a whole, because half a swap could not be told from damage.
type flashFile struct {
	name string
	f    *os.File // nil until the first save of a new flash
}

const flashFormat = 1

// flashHead is the line of JSON at the start.
type flashHead struct {
	Format   int `json:"smpctl_flash"`
	Images   int `json:"images"`
	SlotSize int `json:"slot_size"`
	note
}

// loadFlash opens the file named by o. It returns nil if there is none. A file that is not a flash file is an error and
// stays as it is.
func loadFlash(o *Options) (*flash, error) {
	file, err := openFlashFile(o.Flash)
	if err != nil || file == nil {
		return nil, err
	}
	f, err := file.read()
	if err == nil {
		err = f.adopt(o)
	}
	if err != nil {
		file.f.Close()
		return nil, fmt.Errorf("flash file %s: %w", o.Flash, err)
	}
	return f, nil
}

// adopt compares the layout in the file with what was asked for.
func (f *flash) adopt(o *Options) error {
	if o.SlotSize != 0 && o.SlotSize != f.slotSize {
		return fmt.Errorf("holds slots of %d bytes, not %d: use another file or that size", f.slotSize, o.SlotSize)
	}
	if o.Images != 0 && o.Images != f.images() {
		return fmt.Errorf("holds %d images, not %d: use another file or that number", f.images(), o.Images)
	}
	o.SlotSize, o.Images = f.slotSize, f.images()
	return nil
}

// openFlashFile opens and locks a file. It returns nil if there is none.
func openFlashFile(name string) (*flashFile, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("flash file: %w", err)
	}
	if err := lockFlash(f, name); err != nil {
		f.Close()
		return nil, fmt.Errorf("flash file %s: %w", name, err)
	}
	return &flashFile{name: name, f: f}, nil
}

var errFlashBusy = errors.New("in use by another program")

// lockFlash makes sure that f is the only one open under that name. A file that was replaced since it was opened
// belongs to a device at work.
func lockFlash(f *os.File, name string) error {
	if err := lock(f); err != nil {
		return err
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Stat(name); err != nil || !os.SameFile(mine, named) {
		return errFlashBusy
	}
	return nil
}

func (f *flashFile) read() (*flash, error) {
	size, err := f.f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	var sector [Sector]byte
	if _, err := f.f.ReadAt(sector[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	h, err := parseFlashHead(sector[:], size)
	if err != nil {
		return nil, err
	}
	mem := make([]byte, 2*h.Images*h.SlotSize)
	if _, err := f.f.ReadAt(mem, Sector); err != nil {
		return nil, err
	}
	return &flash{slotSize: h.SlotSize, mem: mem, note: h.note, file: f}, nil
}

// parseFlashHead checks the first sector of a file of the given size.
func parseFlashHead(sector []byte, size int64) (flashHead, error) {
	var h flashHead
	line, _, ok := bytes.Cut(sector, []byte{'\n'})
	if !ok || json.Unmarshal(line, &h) != nil || h.Format == 0 {
		return h, errors.New("is not the flash of a virtual device")
	}
	if h.Format != flashFormat {
		return h, fmt.Errorf("has format %d, this program reads %d", h.Format, flashFormat)
	}
	o := Options{Images: h.Images, SlotSize: h.SlotSize}
	if _, err := o.fill(); err != nil || h.Images == 0 || h.SlotSize == 0 || len(h.Running) != h.Images {
		return h, errors.New("has a damaged first line")
	}
	for _, slot := range h.Running {
		if slot < -1 || slot > 1 { // -1: nothing runs
			return h, errors.New("has a damaged first line")
		}
	}
	if want := int64(Sector + 2*h.Images*h.SlotSize); size != want {
		return h, fmt.Errorf("has %d bytes instead of %d: damaged", size, want)
	}
	return h, nil
}

// head encodes the first sector.
func (f *flash) head() ([]byte, error) {
	line, err := json.Marshal(flashHead{Format: flashFormat, Images: f.images(), SlotSize: f.slotSize, note: f.note})
	if err != nil {
		return nil, err
	}
	sector := bytes.Repeat([]byte{erased}, Sector)
	if copy(sector, append(line, '\n')) <= len(line) {
		return nil, errors.New("first line is too long")
	}
	return sector, nil
}

// update writes bytes of the slots in place.
func (f *flashFile) update(p []byte, off int) error {
	_, err := f.f.WriteAt(p, int64(Sector+off))
	return err
}

// updateHead writes the first sector in place. One small write is all or nothing when a program is killed.
func (f *flashFile) updateHead(from *flash) error {
	sector, err := from.head()
	if err != nil {
		return err
	}
	_, err = f.f.WriteAt(sector, 0)
	return err
}

// create makes the file for a new flash. A file that appeared meanwhile is an error.
func (f *flashFile) create(from *flash) error {
	empty, err := os.OpenFile(f.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("flash file: %w", err)
	}
	empty.Close()
	if err := f.replace(from); err != nil {
		return errors.Join(fmt.Errorf("flash file %s: %w", f.name, err), os.Remove(f.name))
	}
	return nil
}

// replace writes a new file beside the old one and renames it over that.
func (f *flashFile) replace(from *flash) error {
	next, err := f.writeBeside(from)
	if err != nil {
		return err
	}
	if err := f.swapFor(next); err != nil {
		next.Close()
		return errors.Join(err, os.Remove(next.Name()))
	}
	return nil
}

func (f *flashFile) writeBeside(from *flash) (*os.File, error) {
	sector, err := from.head()
	if err != nil {
		return nil, err
	}
	next, err := createBeside(f.name)
	if err != nil {
		return nil, err
	}
	err = lock(next)
	for _, p := range [][]byte{sector, from.mem} {
		if err == nil {
			_, err = next.Write(p)
		}
	}
	if err == nil {
		err = next.Sync()
	}
	if err != nil {
		next.Close()
		return nil, errors.Join(err, os.Remove(next.Name()))
	}
	return next, nil
}
