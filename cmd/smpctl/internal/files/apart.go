package files

import (
	"os"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// Apart refuses outputs that would take the place of an input, under whatever name, or of another output. Empty paths
// count as none. What is not there yet, or no file, is nobody's.
func Apart(outputs, inputs []string) error {
	for i, out := range outputs {
		for _, in := range inputs {
			if sameFile(out, in) {
				return failure.Usage("%s: is the input %s, which is never overwritten: name another output", out, in)
			}
		}
		for _, other := range outputs[:i] {
			if out != "" && (sameFile(out, other) || samePath(out, other)) {
				return failure.Usage("%s: is the output %s too: name two files", out, other)
			}
		}
	}
	return nil
}

// sameFile reports whether two paths lead to one file, by a link perhaps.
func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	first, err := os.Stat(a)
	if err != nil || !first.Mode().IsRegular() {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// samePath reports whether two paths of files that are not there yet are one; devices may be named twice.
func samePath(a, b string) bool {
	_, err := os.Lstat(a)
	return os.IsNotExist(err) && filepath.Clean(a) == filepath.Clean(b)
}
