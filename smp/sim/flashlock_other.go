//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package sim

import "os"

// lock does nothing here.
func lock(*os.File) error { return nil }

// swapFor puts the file next in the place of the open one. An open file cannot be renamed over here.
func (f *flashFile) swapFor(next *os.File) error {
	if err := next.Close(); err != nil {
		return err
	}
	if f.f != nil {
		f.f.Close()
	}
	err := os.Rename(next.Name(), f.name)
	open, openErr := os.OpenFile(f.name, os.O_RDWR, 0)
	f.f = open
	if err != nil {
		return err
	}
	return openErr
}
