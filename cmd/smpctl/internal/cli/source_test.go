package cli

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nordicZip writes an update package with the same image in each of its files, whose manifest entries are as given.
func nordicZip(t *testing.T, entries ...string) string {
	t.Helper()
	data, err := os.ReadFile("../../../../testdata/app-2.0.0.bin")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dfu.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	var list []string
	for i, e := range entries {
		list = append(list, fmt.Sprintf(`{"file": "%d.bin", "size": %d, %s}`, i, len(data), e))
		to, err := w.Create(fmt.Sprintf("%d.bin", i))
		if err == nil {
			_, err = to.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	to, err := w.Create("manifest.json")
	if err == nil {
		_, err = fmt.Fprintf(to, `{"format-version": 1, "files": [%s]}`, strings.Join(list, ","))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPackages brings packages of every kind onto the embedded device.
func TestPackages(t *testing.T) {
	const b0 = `"version_B0": "2", "version_MCUBOOT": "2.0.0"`
	for _, tt := range []struct {
		name    string
		entries []string
		command string
		code    int
		says    string
	}{
		{"number as a text", []string{`"image_index": "0"`}, "upgrade", 0, "confirmed"},
		{"nothing said", []string{`"type": "application"`}, "upgrade", 0, "confirmed"},
		{"another version said", []string{`"version_MCUBOOT": "7.0.0"`}, "upgrade", 0,
			`the manifest says version "7.0.0", the image is 2.0.0+0`},
		{"a second image", []string{`"image_index": "0"`, `"image_index": 1`}, "upgrade", 6,
			"image 1: the device has no such image"},
		{"a bootloader", []string{`"type": "mcuboot", ` + b0}, "upgrade", 6, "replaces the bootloader itself"},
		{"a bootloader, recovered with", []string{`"type": "mcuboot", ` + b0}, "recover", 6,
			"replaces the bootloader itself"},
		{"a bootloader, uploaded", []string{`"type": "mcuboot", ` + b0}, "image upload", 0, "uploaded"},
		{"a bootloader for two slots",
			[]string{`"type": "mcuboot", "slot": "0", ` + b0, `"type": "mcuboot", "slot": "1", ` + b0}, "image upload",
			6, "first-stage bootloader"},
		{"an application for two addresses", []string{`"load_address": 4096, ` + b0, `"load_address": 8192, ` + b0},
			"upgrade", 6, "first-stage bootloader"},
		{"direct-XIP on a device that swaps", []string{`"slot": "0"`, `"slot": "1"`}, "upgrade", 0, "confirmed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-p", "sim:", "-b", "1000000"}, strings.Fields(tt.command)...)
			got := runLine(t, append(args, nordicZip(t, tt.entries...))...)
			if got.Code != tt.code || !strings.Contains(got.Out+got.Err, tt.says) {
				t.Errorf("%d, %s%s\nwant %d and %q", got.Code, got.Out, got.Err, tt.code, tt.says)
			}
		})
	}
}
