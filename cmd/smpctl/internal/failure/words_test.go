package failure_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// TestText has errors of the system as commands show them: in the same words everywhere.
func TestText(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	_, gone := os.Open(missing)
	_, below := os.Stat(filepath.Join(missing, "f"))
	for _, test := range []struct {
		err  error
		want string
	}{
		{gone, "open " + missing + ": no such file or directory"},
		{fmt.Errorf("key: %w", errors.Unwrap(gone)), "key: no such file or directory"},
		{errors.Unwrap(below), "no such file or directory"},
		{errors.Unwrap(os.Mkdir(dir, 0o700)), "file exists"},
		{errors.New("no error of the system"), "no error of the system"},
	} {
		if got := failure.Text(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}
