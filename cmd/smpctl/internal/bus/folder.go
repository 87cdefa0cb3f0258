package bus

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/transport"
)

// What is in the folder of a bus.
const (
	lockFile = "served" // locked while somebody serves the bus
	portFile = ".json"  // behind the name of a port that is present
)

// maxFiles bounds the files in the folder of a bus.
const maxFiles = 4096

// OfFolder is the bus that another process serves through this folder, see [Serve].
func OfFolder(dir string) Bus { return Bus{folder(dir).offers} }

type folder string

// offers are the ports that have a file.
func (d folder) offers() ([]offer, error) {
	served, err := files.Locked(filepath.Join(string(d), lockFile))
	switch {
	case err == nil && !served, errors.Is(err, fs.ErrNotExist):
		return nil, d.unserved()
	case err != nil:
		return nil, d.failed(err)
	}
	names, err := d.ports()
	if err != nil {
		return nil, d.failed(err)
	}
	var offers []offer
	for _, name := range names {
		p, err := readEntry(d.path(name), name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // the board has just gone
		case err != nil:
			return nil, d.failed(err)
		default:
			offers = append(offers, offer{p.Port, p.open})
		}
	}
	return offers, nil
}

// ports are the names of the ports that have a file, in the order of their numbers.
func (d folder) ports() ([]string, error) {
	f, err := os.Open(string(d))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found, err := f.ReadDir(maxFiles + 1)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case len(found) > maxFiles:
		return nil, fmt.Errorf("there are over %d files in it", maxFiles)
	}
	var names []string
	for _, e := range found {
		if name, is := strings.CutSuffix(e.Name(), portFile); is {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) })
	return names, nil
}

// path is where the file of a port is.
func (d folder) path(port string) string { return filepath.Join(string(d), port+portFile) }

// tidy removes what a server has left that was killed. It removes nothing else, and refuses a folder where it would
// have to.
func (d folder) tidy() error {
	names, err := d.ports()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := readEntry(d.path(name), name); err != nil {
			return fmt.Errorf("there is something else in the folder: %w", err)
		}
	}
	for _, name := range names {
		err = errors.Join(err, files.Remove(d.path(name)))
	}
	return err
}

// unserved says that nobody serves the bus: not yet, or not any more.
func (d folder) unserved() error {
	hint := fmt.Sprintf("smpctl sim --boards 8 --bus %s serves virtual boards there", d)
	return failure.WithHint(&transport.OpenError{Address: string(d), Err: errUnserved}, hint)
}

// failed says what is wrong with the folder.
func (d folder) failed(err error) error {
	return failure.WithHint(&transport.OpenError{Address: string(d), Err: err}, "")
}
