// Package files reads and writes the files of the user: read with a limit, written whole or not at all, locked while
// they change.
//
//	data, err := files.Read(path, most)
//	err = files.Apart([]string{out}, []string{path})
//	err = files.Write(out, data, files.Options{})
//
// Which exit code a file has that cannot be read depends on what it is for, and on nothing else: [ReadImageFile] is for
// what is an image, holds some or becomes part of one (code 6), [ReadInput] for every other file that a command line
// names (2), [Read] for those that nobody named (1).
//
// There is one way to write, with [Options]; what grows while a command runs (a log, a trace) is not written here. It
// knows no command and no format but that of images, which nearly every command reads.
package files
