package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// createBeside makes a file that is to take the place of another one. It has the mode of that, or what the system gives
// to new files; [os.CreateTemp] would keep it from everybody else.
func createBeside(name string) (*os.File, error) {
	const tries = 100
	mode := fs.FileMode(0o666)
	info, statErr := os.Stat(name)
	if statErr == nil {
		mode = info.Mode().Perm()
	}
	for n := range tries {
		f, err := os.OpenFile(fmt.Sprintf("%s.%d-%d.tmp", name, os.Getpid(), n), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil || statErr != nil {
			return f, err
		}
		if err := f.Chmod(mode); err != nil { // with what umask took
			f.Close()
			return nil, errors.Join(err, os.Remove(f.Name()))
		}
		return f, nil
	}
	return nil, fs.ErrExist
}
