package signing

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
)

// firmware is a file to be signed.
type firmware struct {
	data  []byte
	start *uint32 // address of its first byte, in Intel HEX
}

// readFirmware reads a .bin or .hex file. As with imgtool the name tells which, for a binary may begin with any byte.
func readFirmware(path string) (firmware, error) {
	data, err := files.ReadImageFile(path)
	if err != nil {
		return firmware{}, err
	}
	if isHexName(path) {
		flat, start, err := image.FromHex(data)
		if err != nil {
			return firmware{}, fmt.Errorf("%s: %w", path, err)
		}
		return firmware{flat, &start}, nil
	}
	if _, _, err := image.FromHex(data); err == nil { // a binary fails at its first byte
		return firmware{}, failure.AsImage(fmt.Errorf("%s: is Intel HEX, but its name does not end in .hex", path))
	}
	for prefix, what := range notFirmware {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return firmware{}, failure.AsImage(fmt.Errorf("%s: is %s: take the firmware binary, for Zephyr zephyr.bin or "+
				"zephyr.hex", path, what))
		}
	}
	return firmware{data: data}, nil
}

// notFirmware are first bytes of files that no processor runs.
var notFirmware = map[string]string{
	"\x7fELF": "an ELF file", "PK\x03\x04": "a zip archive", "UF2\n": "a UF2 file", "-----BEGIN ": "a PEM file",
}

func isHexName(path string) bool { return strings.EqualFold(filepath.Ext(path), ".hex") }
