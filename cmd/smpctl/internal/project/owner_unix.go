//go:build unix

package project

import (
	"io/fs"
	"syscall"
)

// ownerOf is the user whom an entry belongs to.
func ownerOf(info fs.FileInfo) (user int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
