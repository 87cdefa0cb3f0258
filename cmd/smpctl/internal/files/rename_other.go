//go:build !windows

package files

import "os"

// rename puts a file in the place of another, whoever has that open.
func rename(from, to string) error { return os.Rename(from, to) }
