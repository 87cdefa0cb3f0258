package files

import (
	"fmt"
	"os"
	"path/filepath"
)

// ConfigPath is where a file of the user's configuration lies that smpctl keeps under a name.
func ConfigPath(env func(string) (string, bool), name string) (string, error) {
	dir, ok := env("XDG_CONFIG_HOME")
	if !ok || dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", err
		}
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("XDG_CONFIG_HOME: %s is not an absolute path", dir)
	}
	return filepath.Join(dir, "smpctl", name), nil
}
