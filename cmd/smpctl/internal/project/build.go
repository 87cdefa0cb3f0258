package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// packageFile is the update package that the nRF Connect SDK makes: in the build folder with sysbuild (sdk-nrf:
// cmake/sysbuild/zip.cmake), in zephyr/ with child images, its way before (cmake/mcuboot.cmake).
const packageFile = "dfu_application.zip"

// BuildFile returns the file of a build folder that goes onto a device: its update package, or else the signed image of
// the application. With sysbuild the application is the default domain of domains.yaml; the folder of a domain can be
// given too. What is already marked as confirmed, the bootloader and other images are never taken. None or several are
// an error. Every error is a *[BuildError].
//
// It goes by names only: whether the file is a good image, and as new as its sources, is not looked at.
func BuildFile(dir string) (string, error) {
	b := build{dir: dir}
	if info, err := os.Stat(dir); err != nil {
		return "", b.fail("", "%w", cause(err))
	} else if !info.IsDir() {
		return "", b.fail("", "is not a folder")
	}
	packages := existing(filepath.Join(dir, packageFile), filepath.Join(dir, "zephyr", packageFile))
	if len(packages) > 0 {
		return b.only(choice{packages, "one may be left over from an earlier build; name the one to send"})
	}
	if err := b.open(); err != nil {
		return "", err
	}
	if b.app.bootloader {
		return "", b.fail("name the build folder of the application",
			"holds the bootloader, MCUboot, and no application")
	}
	c := b.candidates()
	if len(c.files) == 0 {
		return "", b.explain()
	}
	return b.only(c)
}

// build is a build folder.
type build struct {
	dir      string
	sysbuild bool         // it has a domains.yaml
	app      imageBuild   // the application: in dir itself without sysbuild
	variants []imageBuild // the application for the other slot, where images run where they lie
}

// open finds out what the folder holds the build of.
func (b *build) open() error {
	d, err := readDomains(b.dir)
	b.sysbuild = err == nil
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.application = b.dir
	case err != nil:
		return b.fail("west build writes that file anew", "%s: %w", domainsFile, err)
	}
	if b.app, err = b.openImage(d.application); err != nil {
		return err
	}
	for _, folder := range d.variants {
		v, err := b.openImage(folder)
		if err != nil {
			return err
		}
		b.variants = append(b.variants, v)
	}
	return nil
}

func (b *build) openImage(dir string) (imageBuild, error) {
	i, err := openImage(dir)
	if err != nil {
		return i, b.fail("", "%s: %w", b.rel(i.config()), err)
	}
	return i, nil
}

// choice are files of which one is to be sent, and what to say if there are several.
type choice struct {
	files []string
	hint  string
}

// candidates are the signed images of the application. There are several for one build where only the user knows which
// the device needs.
func (b build) candidates() choice {
	c := b.app.signed()
	if b.sysbuild {
		// The nRF54H merges the images of all cores, and signs them in the folder of the whole build (sdk-nrf:
		// cmake/sysbuild/sign_nrf54h20.cmake).
		merged := filepath.Join(b.dir, "zephyr", b.app.name)
		c.files = append(c.files, binOrHex(merged+".signed")...)
		if len(c.files) > 0 {
			c.addVariants(binOrHex(merged + "_secondary_app.signed"))
		}
	}
	if len(c.files) > 0 { // what is only there for the other slot is no complete build
		for _, v := range b.variants {
			c.addVariants(v.signed().files)
		}
	}
	return c
}

func (c *choice) addVariants(files []string) {
	if len(files) > 0 {
		c.files = append(c.files, files...)
		c.hint = "there is one for each slot, because the device runs images where they lie: name the one for the " +
			"slot that is free (smpctl image list shows it)"
	}
}

// only returns the one file, or an error with those to choose from.
func (b build) only(c choice) (string, error) {
	if len(c.files) == 1 {
		return c.files[0], nil
	}
	return "", b.fail(c.hint, "has several files to choose from: %s", b.list(c.files))
}

// list names files for people.
func (b build) list(files []string) string {
	const most = 8
	names := make([]string, 0, most)
	for _, file := range files[:min(len(files), most)] {
		names = append(names, b.rel(file))
	}
	text := strings.Join(names, ", ")
	if len(files) > most {
		text += fmt.Sprintf(" and %d more", len(files)-most)
	}
	return text
}

// rel is a path as seen from the build folder, if it leads into it.
func (b build) rel(path string) string {
	if rel, err := filepath.Rel(b.dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func (b build) fail(hint, format string, args ...any) error {
	return &BuildError{Dir: b.dir, Err: fmt.Errorf(format, args...), hint: hint}
}

// existing returns those files that are there.
func existing(paths ...string) []string {
	var found []string
	for _, path := range paths {
		if isRegular(path) {
			found = append(found, path)
		}
	}
	return found
}

// binOrHex returns path.bin, or path.hex if there is only that: the same image in another form.
func binOrHex(path string) []string {
	found := existing(path+".bin", path+".hex")
	return found[:min(len(found), 1)]
}
