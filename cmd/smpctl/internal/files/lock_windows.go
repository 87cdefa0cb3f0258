package files

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock waits for a lock that ends with the file.
func lock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}
