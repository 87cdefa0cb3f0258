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
		return firmware{flat, &start}, checkFirmware(path, flat)
	}
	if _, _, err := image.FromHex(data); err == nil { // a binary fails at its first byte
		return firmware{}, failure.AsImage(fmt.Errorf("%s: is Intel HEX, but its name does not end in .hex", path))
	}
	return firmware{data: data}, checkFirmware(path, data)
}

// checkFirmware refuses what no processor runs.
func checkFirmware(path string, data []byte) error {
	if bytes.HasPrefix(data, []byte(imageMagic)) {
		return failure.WithHint(failure.AsImage(fmt.Errorf("%s: is an image already: signed again, it would be "+
			"an image inside an image, which no bootloader starts", path)),
			"smpctl sign again, or sign prepare --again, replaces its signature; to make it anew, "+takeBinary)
	}
	for prefix, what := range notFirmware {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return failure.WithHint(failure.AsImage(fmt.Errorf("%s: is %s", path, what)), takeBinary)
		}
	}
	return nil
}

const takeBinary = "take the firmware binary, for Zephyr zephyr.bin or zephyr.hex"

// imageMagic are the first bytes of an image (MCUboot's image.h: IMAGE_MAGIC). As the stack pointer of a Cortex-M, or
// the first word of Zephyr's room for a header, they mean nothing.
const imageMagic = "\x3d\xb8\xf3\x96"

// notFirmware are first bytes of files that no processor runs.
var notFirmware = map[string]string{
	"\x7fELF": "an ELF file", "PK\x03\x04": "a zip archive", "UF2\n": "a UF2 file", "-----BEGIN ": "a PEM file",
}

func isHexName(path string) bool { return strings.EqualFold(filepath.Ext(path), ".hex") }
