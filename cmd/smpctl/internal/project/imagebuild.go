package project

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
)

// imageBuild is the build folder of one image.
type imageBuild struct {
	dir        string
	name       string // of its files, without what follows the first dot
	configured bool   // its .config is there, so what follows is known
	bootloader bool   // it is MCUboot
	forMCUboot bool   // it is made to be started by MCUboot
}

// maxConfig bounds the bytes of a .config. Usual ones have 100 KiB.
const maxConfig = 8 << 20

// openImage reads what Kconfig says of an image, if it is there. The error does not name the file.
func openImage(dir string) (imageBuild, error) {
	b := imageBuild{dir: dir, name: "zephyr"}
	text, err := readFile(b.config(), maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, nil
	case err != nil:
		return b, err
	}
	b.configured = true
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "CONFIG_KERNEL_BIN_NAME":
			if name := strings.Trim(value, `"`); filepath.IsLocal(name) && name == filepath.Base(name) {
				b.name = name
			}
		case "CONFIG_MCUBOOT":
			b.bootloader = value == "y"
		case "CONFIG_BOOTLOADER_MCUBOOT":
			b.forMCUboot = value == "y"
		}
	}
	return b, nil
}

// config is the file that Kconfig writes.
func (b imageBuild) config() string { return filepath.Join(b.dir, "zephyr", ".config") }

// file is a file of the image: its name, and what follows it.
func (b imageBuild) file(rest string) string { return filepath.Join(b.dir, "zephyr", b.name+rest) }

// signed returns the files with the signed image, in the names of Zephyr (cmake/mcuboot.cmake) and of the nRF Connect
// SDK: with sysbuild those of Zephyr, with child images app_update.bin (cmake/mcuboot.cmake of sdk-nrf).
func (b imageBuild) signed() choice {
	halves := append(binOrHex(b.file(".internal.signed")), binOrHex(b.file(".external.signed"))...)
	if len(halves) > 0 { // there is a .signed.hex too, with both in one file
		return choice{halves, "the application is in two images, one for external flash: pack both (smpctl package " +
			"build), or name one"}
	}
	c := choice{hint: "one may be left over from an earlier build; name the one to send"}
	c.files = append(binOrHex(b.file(".signed")), existing(filepath.Join(b.dir, "zephyr", "app_update.bin"))...)
	if encrypted := binOrHex(b.file(".signed.encrypted")); len(encrypted) > 0 {
		c.files = append(c.files, encrypted...)
		c.hint = "name the one to send: that which is encrypted, if the bootloader decrypts"
	}
	if len(c.files) > 0 {
		c.addVariants(existing(filepath.Join(b.dir, "zephyr", "mcuboot_secondary_app_update.bin")))
	}
	return c
}

// unsigned returns the file with the image before it is signed, if there is one.
func (b imageBuild) unsigned() (string, bool) {
	found := existing(b.file(".bin"), b.file(".hex"), b.file(".elf"))
	if len(found) == 0 {
		return "", false
	}
	return found[0], true
}
