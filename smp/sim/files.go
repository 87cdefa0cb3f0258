package sim

import (
	"slices"
	"strings"
)

// files are the file systems of the device: one that can be written, and one in ROM. They outlive resets.
type files struct {
	byName   map[string][]byte
	capacity int        // bytes of all files that can be written
	store    *fileStore // nil: in memory only
}

const (
	mountRW       = "/lfs1"
	mountRO       = "/rom"
	fsDefaultSize = 2 << 20
)

// directories that exist; none can be made.
var directories = []string{"/", mountRW, mountRW + "/log", mountRO}

func newFiles(capacity int) files {
	return files{
		capacity: or(capacity, fsDefaultSize),
		byName: map[string][]byte{
			mountRW + "/config.json":  []byte("{\"name\":\"virtual device\",\"interval\":60}\n"),
			mountRW + "/log/boot.log": []byte("boot 1: power-on reset\nboot 2: software reset\n"),
			mountRO + "/version.txt":  []byte("1.0.0\n"),
		},
	}
}

// place checks a path as Zephyr's file system layer does (subsys/fs/fs.c): absolute, and below a mount point.
func place(name string) (parent string, rc int) {
	switch {
	case !strings.HasPrefix(name, "/"):
		return "", fsInvalidName
	case slices.Contains(directories, strings.TrimRight(name, "/")) || name == "/":
		return "", fsIsDirectory
	}
	return name[:strings.LastIndexByte(name, '/')], 0
}

// get gives a file's content, which must not be changed, or an error code.
func (f *files) get(name string) ([]byte, int) {
	if _, rc := place(name); rc != 0 {
		return nil, rc
	}
	content, ok := f.byName[name]
	if !ok {
		return nil, fsNotFound
	}
	return content, 0
}

// writable gives the error code of opening a file for writing, 0 if that works.
func (f *files) writable(name string) int {
	parent, rc := place(name)
	switch {
	case rc == fsIsDirectory:
		return fsUnknown // so says the server
	case rc != 0:
		return rc
	case parent == mountRO:
		return fsReadOnly
	case parent == "/" || !slices.Contains(directories, parent):
		return fsNoMountPoint
	}
	return 0
}

// free is how many bytes a file could have if it were written anew.
func (f *files) free(name string) int {
	n := f.capacity
	for other, content := range f.byName {
		if other != name && strings.HasPrefix(other, mountRW) {
			n -= len(content)
		}
	}
	return n
}

// put replaces a file by content, which belongs to it from then on.
func (f *files) put(name string, content []byte) error {
	f.byName[name] = content
	return f.save()
}
