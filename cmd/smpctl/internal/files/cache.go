package files

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
)

// CachePath is where a file of the user's cache directory lies that smpctl keeps under a name. It looks in the given
// environment only: a test has one of its own.
func CachePath(env func(string) (string, bool), name string) (string, error) {
	variable, below := "XDG_CACHE_HOME", ""
	dir, _ := env(variable)
	if dir == "" {
		switch runtime.GOOS {
		case "windows":
			variable = "LocalAppData"
		case "darwin":
			variable, below = "HOME", "Library/Caches"
		default:
			variable, below = "HOME", ".cache"
		}
		dir, _ = env(variable)
	}
	switch {
	case dir == "":
		return "", errors.New("no cache directory: " + variable + " is not set")
	case !filepath.IsAbs(dir):
		return "", fmt.Errorf("%s: %s is not an absolute path", variable, dir)
	}
	return filepath.Join(dir, below, "smpctl", name), nil
}
