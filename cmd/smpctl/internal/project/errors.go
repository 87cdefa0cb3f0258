package project

import "fmt"

// FileError is a smpctl.toml that cannot be used.
type FileError struct {
	Path string // absolute
	Line int    // of the mistake, from 1; 0 if the file as a whole is wrong
	Err  error
	hint string
}

// Error says where the mistake is, then what it is.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
}

// Unwrap returns the mistake.
func (e *FileError) Unwrap() error { return e.Err }

// Hint is what to do about it; empty if the error says all.
func (e *FileError) Hint() string { return e.hint }

// BuildError is a build folder of which no file, or not just one, can be taken.
type BuildError struct {
	Dir  string // as the caller named it
	Err  error
	hint string
}

// Error names the folder, then what is wrong with it. Files in it are named relative to it.
func (e *BuildError) Error() string { return fmt.Sprintf("%s: %v", e.Dir, e.Err) }

// Unwrap returns what is wrong.
func (e *BuildError) Unwrap() error { return e.Err }

// Hint is what to do about it; empty if the error says all.
func (e *BuildError) Hint() string { return e.hint }
