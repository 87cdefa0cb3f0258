package project

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Name is the name of the file with a project's defaults.
const Name = "smpctl.toml"

// maxFile bounds the bytes of a smpctl.toml.
const maxFile = 1 << 20

// Find reads the smpctl.toml of a folder, or the nearest above it up to the top of its repository, which is the folder
// with .git. No file is no error. Every error is a *[FileError].
//
// Somebody else's file must not say where firmware goes. So without a repository Find looks in the folder itself and
// nowhere above, where others may put files. The top of the file system is no repository. And what belongs to neither
// the user nor root, in a folder that everybody may write into such as /tmp, counts as absent, be it a smpctl.toml or a
// .git; not so on Windows, whose folders do not say in their mode who may write.
func Find(dir string) (Defaults, error) { return find(dir, os.Geteuid()) }

// find is Find for a user.
func find(dir string, user int) (Defaults, error) {
	var ignored string
	for _, folder := range searched(realPath(dir), user) {
		path := filepath.Join(folder, Name)
		planted, err := isPlanted(path, user)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return Defaults{}, &FileError{Path: path, Err: cause(err)}
		case planted:
			ignored = path + ": is ignored: it belongs to somebody else, in a folder that everybody may write into"
			continue
		}
		text, err := readFile(path, maxFile)
		if err != nil {
			return Defaults{}, &FileError{Path: path, Err: err}
		}
		d, err := parse(path, text)
		d.Ignored = ignored
		return d, err
	}
	return Defaults{Ignored: ignored}, nil
}

// realPath is the absolute path of a folder without links: a link may lead from one repository into another.
func realPath(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if direct, err := filepath.EvalSymlinks(dir); err == nil {
		dir = direct
	}
	return dir
}

// searched lists the folders in which a smpctl.toml counts, the nearest first.
func searched(dir string, user int) []string {
	var folders []string
	for folder := dir; ; folder = filepath.Dir(folder) {
		folders = append(folders, folder)
		if folder == filepath.Dir(folder) {
			return folders[:1]
		}
		if planted, err := isPlanted(filepath.Join(folder, ".git"), user); err == nil && !planted {
			return folders
		}
	}
}

// isPlanted tells whether an entry may be what somebody else put before the user. A link is judged, not its target.
func isPlanted(path string, user int) (bool, error) {
	entry, err := os.Lstat(path)
	if err != nil {
		return false, err
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return false, err
	}
	owner, known := ownerOf(entry)
	const everybodyWrites = 0o002
	return known && owner != user && owner != 0 && folder.Mode()&everybodyWrites != 0, nil
}
