package project

import (
	"os"
	"path/filepath"
	"strings"
)

// explain says why a folder has no file to send, and what is there instead.
func (b build) explain() error {
	wanted := b.rel(b.app.file(".signed.bin"))
	unsigned, built := b.app.unsigned()
	others := b.app.others()
	switch {
	case !isFolder(b.app.dir):
		return b.fail("build again: west build -d "+b.dir,
			"the folder of the application, %s, is not there", b.rel(b.app.dir))
	case len(others) > 0:
		return b.fail("name the file, if one of them is to be sent",
			"%s is not there; signed or for updates by their names are %s", wanted, b.list(others))
	case built:
		return b.fail(b.signHint(), "%s is not signed", b.rel(unsigned))
	case b.sysbuild || b.app.configured:
		return b.fail("west build -d "+b.dir+" shows why",
			"has no %s, and no %s either: nothing is built", wanted, b.rel(b.app.file(".bin")))
	}
	return b.notABuild()
}

// signHint is how a file that is built becomes one that can be sent. What was not made for MCUboot lies at the wrong
// address and has no room for a header, so a signature alone would not help.
func (b build) signHint() string {
	switch {
	case !b.app.configured:
		return "smpctl sign signs it, if it was built for MCUboot (CONFIG_BOOTLOADER_MCUBOOT)"
	case b.app.forMCUboot && b.sysbuild:
		return "smpctl sign signs it, or the build does: SB_CONFIG_BOOT_SIGNATURE_KEY_FILE in sysbuild.conf"
	case b.app.forMCUboot:
		return "smpctl sign signs it, or the build does: CONFIG_MCUBOOT_SIGNATURE_KEY_FILE in prj.conf"
	case b.sysbuild:
		return "it is not made for MCUboot: set SB_CONFIG_BOOTLOADER_MCUBOOT=y in sysbuild.conf, and build again"
	}
	return "it is not made for MCUboot: set CONFIG_BOOTLOADER_MCUBOOT=y in prj.conf, or with sysbuild " +
		"SB_CONFIG_BOOTLOADER_MCUBOOT=y in sysbuild.conf, and build again"
}

// others are files that are signed or for updates by their names, but none that can be taken unasked: confirmed
// already, for one slot only, a half of TF-M.
func (b imageBuild) others() []string {
	entries, err := os.ReadDir(filepath.Join(b.dir, "zephyr"))
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		name, ext := e.Name(), filepath.Ext(e.Name())
		if (ext == ".bin" || ext == ".hex") && (strings.Contains(name, "signed") || strings.Contains(name, "update")) {
			files = append(files, filepath.Join(b.dir, "zephyr", name))
		}
	}
	return files
}

// notABuild explains a folder that no build wrote: most likely a build folder is near.
func (b build) notABuild() error {
	hint := "name a folder that west build wrote, usually build, or a file"
	if parent := filepath.Dir(filepath.Clean(b.dir)); isBuild(parent) {
		hint = "the build folder is " + parent
	}
	if below := buildsIn(b.dir); len(below) > 0 {
		hint = "build folders in it: " + build{}.list(below)
	}
	return b.fail(hint, "is no build folder of Zephyr: it has neither %s nor %s", domainsFile,
		filepath.Join("zephyr", ".config"))
}

// buildsIn are the build folders right below a folder: west builds into build, if not told otherwise.
func buildsIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); isBuild(path) {
			found = append(found, path)
		}
	}
	return found
}

// isBuild tells whether a folder is one that west build wrote, as far as it got to Kconfig.
func isBuild(dir string) bool {
	return len(existing(filepath.Join(dir, domainsFile), filepath.Join(dir, "zephyr", ".config"))) > 0
}
