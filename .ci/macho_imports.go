// Command macho_imports lists the libraries that a program for macOS is bound to, and fails if there is one beside
// those that are named after it: frameworks are to be loaded when they are needed.
//
//	go run .ci/macho_imports.go FILE LIBRARY...
package main

import (
	"debug/macho"
	"fmt"
	"os"
	"slices"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: macho_imports FILE LIBRARY...")
	}
	f, err := macho.Open(os.Args[1])
	if err != nil {
		fail(err)
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		fail(err)
	}
	for _, l := range libraries {
		fmt.Println(l)
		if !slices.Contains(os.Args[2:], l) {
			fail(os.Args[1], "is bound to", l)
		}
	}
}

func fail(words ...any) {
	fmt.Fprintln(os.Stderr, words...)
	os.Exit(1)
}
