package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What Kconfig writes of an application, one that is made for MCUboot, and MCUboot.
const (
	plainConfig   = "#\n# Zephyr\n#\nCONFIG_KERNEL_BIN_NAME=\"zephyr\"\n# CONFIG_BOOTLOADER_MCUBOOT is not set\n"
	mcubootConfig = "CONFIG_KERNEL_BIN_NAME=\"zephyr\"\nCONFIG_BOOTLOADER_MCUBOOT=y\n"
	loaderConfig  = "CONFIG_MCUBOOT=y\nCONFIG_KERNEL_BIN_NAME=\"zephyr\"\n"
)

// domainsOf is a domains.yaml as sysbuild writes it, in the folder /w/build.
func domainsOf(application string, others ...string) string {
	text := "default: " + application + "\nbuild_dir: /w/build\ndomains:\n"
	for _, name := range append(others, application) {
		text += fmt.Sprintf("  - name: %s\n    build_dir: /w/build/%s\n", name, name)
	}
	return text + "flash_order:\n  - " + application + "\n"
}

// sysbuild is the build folder of an application, of which nothing is built, and its bootloader, with files on top.
func sysbuild(more ...string) map[string]string {
	files := map[string]string{
		"domains.yaml":              domainsOf("app", "mcuboot"),
		"CMakeCache.txt":            "",
		"zephyr/.config":            "SB_CONFIG_BOOTLOADER_MCUBOOT=y\n",
		"app/zephyr/.config":        mcubootConfig,
		"mcuboot/zephyr/.config":    loaderConfig,
		"mcuboot/zephyr/zephyr.bin": "",
	}
	for _, name := range more {
		files[name] = ""
	}
	return files
}

// plain is the build folder of an application alone, with files on top.
func plain(config string, more ...string) map[string]string {
	files := map[string]string{"zephyr/.config": config, "CMakeCache.txt": ""}
	for _, name := range more {
		files[name] = ""
	}
	return files
}

// with is a tree with one more file, or another text in one.
func with(files map[string]string, name, text string) map[string]string {
	files[name] = text
	return files
}

func TestBuildFile(t *testing.T) {
	for _, c := range []struct {
		name  string
		dir   string // in the tree; empty for its root
		files map[string]string
		want  string
	}{
		{
			"plain build", "",
			plain(mcubootConfig, "zephyr/zephyr.bin", "zephyr/zephyr.signed.bin", "zephyr/zephyr.signed.hex",
				"zephyr/zephyr.signed.confirmed.bin", "zephyr/zephyr.signed.confirmed.hex"),
			"zephyr/zephyr.signed.bin",
		},
		{
			"sysbuild", "",
			sysbuild("app/zephyr/zephyr.bin", "app/zephyr/zephyr.signed.bin", "app/zephyr/zephyr.signed.hex",
				"app/zephyr/zephyr.signed.confirmed.bin", "mcuboot/zephyr/zephyr.signed.bin"),
			"app/zephyr/zephyr.signed.bin",
		},
		{"domain of sysbuild", "app", sysbuild("app/zephyr/zephyr.signed.bin"), "app/zephyr/zephyr.signed.bin"},
		{
			"sysbuild with a radio core", "",
			with(sysbuild("app/zephyr/zephyr.signed.bin", "hci_ipc/zephyr/zephyr.signed.bin"), "domains.yaml",
				domainsOf("app", "mcuboot", "hci_ipc")),
			"app/zephyr/zephyr.signed.bin",
		},
		{
			"hex only", "", sysbuild("app/zephyr/zephyr.hex", "app/zephyr/zephyr.signed.hex"),
			"app/zephyr/zephyr.signed.hex",
		},
		{
			"both slots of RAM loading, whose .bin is the same", "",
			plain(mcubootConfig, "zephyr/zephyr.signed.bin", "zephyr/zephyr.slot1.signed.bin"),
			"zephyr/zephyr.signed.bin",
		},
		{
			"another kernel name", "",
			plain("CONFIG_KERNEL_BIN_NAME=\"blinky\"\r\n", "zephyr/zephyr.signed.bin", "zephyr/blinky.signed.bin"),
			"zephyr/blinky.signed.bin",
		},
		{
			"a kernel name that leads out", "",
			plain("CONFIG_KERNEL_BIN_NAME=\"../../x\"\n", "zephyr/zephyr.signed.bin"), "zephyr/zephyr.signed.bin",
		},
		{
			"a kernel name that leads further down", "",
			plain("CONFIG_KERNEL_BIN_NAME=\"a/b\"\n", "zephyr/zephyr.signed.bin", "zephyr/a/b.signed.bin"),
			"zephyr/zephyr.signed.bin",
		},
		{
			"files of a build without the rest", "", map[string]string{"zephyr/zephyr.signed.bin": ""},
			"zephyr/zephyr.signed.bin",
		},
		{
			"nRF package of sysbuild", "",
			sysbuild("dfu_application.zip", "dfu_mcuboot.zip", "app/zephyr/zephyr.signed.bin"), "dfu_application.zip",
		},
		{
			"nRF package of child images", "",
			plain(mcubootConfig, "zephyr/dfu_application.zip", "zephyr/app_update.bin",
				"zephyr/net_core_app_update.bin"),
			"zephyr/dfu_application.zip",
		},
		{
			"nRF package beside a domains.yaml that cannot be read", "",
			map[string]string{"domains.yaml": "\t", "dfu_application.zip": ""}, "dfu_application.zip",
		},
		{
			"child image", "",
			plain(mcubootConfig, "zephyr/app_update.bin", "zephyr/app_signed.hex", "zephyr/app_test_update.hex",
				"zephyr/app_moved_test_update.hex", "zephyr/app_to_sign.bin", "zephyr/net_core_app_update.bin",
				"zephyr/signed_by_mcuboot_and_b0_s0_image_update.bin"),
			"zephyr/app_update.bin",
		},
		{
			"images of several cores in one", "",
			sysbuild("zephyr/zephyr.signed.bin", "zephyr/zephyr.signed.confirmed.hex", "zephyr/zephyr.merged.hex",
				"app/zephyr/zephyr.merged.bin"),
			"zephyr/zephyr.signed.bin",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.files)
			got, err := BuildFile(filepath.Join(root, c.dir))
			if err != nil || got != filepath.Join(root, filepath.FromSlash(c.want)) {
				t.Errorf("BuildFile = %q, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestBuildFileChoices(t *testing.T) {
	const (
		old  = "one may be left over from an earlier build; name the one to send"
		slot = "there is one for each slot, because the device runs images where they lie: name the one for the slot " +
			"that is free (smpctl image list shows it)"
	)
	for _, c := range []struct {
		name       string
		files      map[string]string
		want, hint string
	}{
		{
			"encrypted too", sysbuild("app/zephyr/zephyr.signed.bin", "app/zephyr/zephyr.signed.hex",
				"app/zephyr/zephyr.signed.encrypted.bin", "app/zephyr/zephyr.signed.encrypted.hex"),
			"ROOT: has several files to choose from: app/zephyr/zephyr.signed.bin, " +
				"app/zephyr/zephyr.signed.encrypted.bin",
			"name the one to send: that which is encrypted, if the bootloader decrypts",
		},
		{
			"two packages", plain(mcubootConfig, "dfu_application.zip", "zephyr/dfu_application.zip"),
			"ROOT: has several files to choose from: dfu_application.zip, zephyr/dfu_application.zip", old,
		},
		{
			"old and new names", plain(mcubootConfig, "zephyr/app_update.bin", "zephyr/zephyr.signed.bin"),
			"ROOT: has several files to choose from: zephyr/zephyr.signed.bin, zephyr/app_update.bin", old,
		},
		{
			"sysbuild in the folder of a plain build",
			sysbuild("zephyr/zephyr.signed.bin", "app/zephyr/zephyr.signed.bin"),
			"ROOT: has several files to choose from: app/zephyr/zephyr.signed.bin, zephyr/zephyr.signed.bin", old,
		},
		{
			"a variant for slot 1",
			with(sysbuild("app/zephyr/zephyr.signed.bin", "app_slot1_variant/zephyr/zephyr.signed.bin"), "domains.yaml",
				domainsOf("app", "mcuboot", "app_slot1_variant")),
			"ROOT: has several files to choose from: app/zephyr/zephyr.signed.bin, " +
				"app_slot1_variant/zephyr/zephyr.signed.bin", slot,
		},
		{
			"a secondary application of nRF",
			with(sysbuild("app/zephyr/zephyr.signed.bin", "mcuboot_secondary_app/zephyr/zephyr.signed.bin"),
				"domains.yaml", domainsOf("app", "mcuboot", "mcuboot_secondary_app")),
			"ROOT: has several files to choose from: app/zephyr/zephyr.signed.bin, " +
				"mcuboot_secondary_app/zephyr/zephyr.signed.bin", slot,
		},
		{
			"a secondary application of a child image",
			plain(mcubootConfig, "zephyr/app_update.bin", "zephyr/mcuboot_secondary_app_update.bin"),
			"ROOT: has several files to choose from: zephyr/app_update.bin, zephyr/mcuboot_secondary_app_update.bin",
			slot,
		},
		{
			"several cores in one, for both slots",
			sysbuild("zephyr/zephyr.signed.bin", "zephyr/zephyr_secondary_app.signed.bin"),
			"ROOT: has several files to choose from: zephyr/zephyr.signed.bin, zephyr/zephyr_secondary_app.signed.bin",
			slot,
		},
		{
			"two halves, and a hex of both",
			sysbuild("app/zephyr/zephyr.internal.signed.bin", "app/zephyr/zephyr.internal.signed.hex",
				"app/zephyr/zephyr.external.signed.bin", "app/zephyr/zephyr.signed.hex"),
			"ROOT: has several files to choose from: app/zephyr/zephyr.internal.signed.bin, " +
				"app/zephyr/zephyr.external.signed.bin",
			"the application is in two images, one for external flash: pack both (smpctl package build), or name one",
		},
	} {
		t.Run(c.name, func(t *testing.T) { checkBuildError(t, c.files, "", c.want, c.hint) })
	}
}

func TestBuildFileNone(t *testing.T) {
	const folder = "name a folder that west build wrote, usually build, or a file"
	for _, c := range []struct {
		name       string
		dir        string
		files      map[string]string
		want, hint string
	}{
		{
			"not for MCUboot", "", plain(plainConfig, "zephyr/zephyr.bin", "zephyr/zephyr.elf"),
			"ROOT: zephyr/zephyr.bin is not signed",
			"it is not made for MCUboot: set CONFIG_BOOTLOADER_MCUBOOT=y in prj.conf, or with sysbuild " +
				"SB_CONFIG_BOOTLOADER_MCUBOOT=y in sysbuild.conf, and build again",
		},
		{
			"sysbuild, not for MCUboot", "",
			with(sysbuild("app/zephyr/zephyr.elf"), "app/zephyr/.config", plainConfig),
			"ROOT: app/zephyr/zephyr.elf is not signed",
			"it is not made for MCUboot: set SB_CONFIG_BOOTLOADER_MCUBOOT=y in sysbuild.conf, and build again",
		},
		{
			"without a key", "", plain(mcubootConfig, "zephyr/zephyr.bin"), "ROOT: zephyr/zephyr.bin is not signed",
			"smpctl sign signs it, or the build does: CONFIG_MCUBOOT_SIGNATURE_KEY_FILE in prj.conf",
		},
		{
			"sysbuild without a key", "", sysbuild("app/zephyr/zephyr.hex"),
			"ROOT: app/zephyr/zephyr.hex is not signed",
			"smpctl sign signs it, or the build does: SB_CONFIG_BOOT_SIGNATURE_KEY_FILE in sysbuild.conf",
		},
		{
			"a file without the rest of its build", "", map[string]string{"zephyr/zephyr.bin": ""},
			"ROOT: zephyr/zephyr.bin is not signed",
			"smpctl sign signs it, if it was built for MCUboot (CONFIG_BOOTLOADER_MCUBOOT)",
		},
		{
			"confirmed only", "", plain(mcubootConfig, "zephyr/zephyr.bin", "zephyr/zephyr.signed.confirmed.bin"),
			"ROOT: zephyr/zephyr.signed.bin is not there; signed or for updates by their names are " +
				"zephyr/zephyr.signed.confirmed.bin", "name the file, if one of them is to be sent",
		},
		{
			"halves of TF-M", "",
			plain(mcubootConfig, "zephyr/zephyr.bin", "zephyr/tfm_s_signed.bin", "zephyr/zephyr_ns_signed.bin",
				"zephyr/zephyr_ns_signed.map"),
			"ROOT: zephyr/zephyr.signed.bin is not there; signed or for updates by their names are " +
				"zephyr/tfm_s_signed.bin, zephyr/zephyr_ns_signed.bin", "name the file, if one of them is to be sent",
		},
		{
			"many", "",
			plain(mcubootConfig, "zephyr/update1.bin", "zephyr/update2.bin", "zephyr/update3.bin", "zephyr/update4.bin",
				"zephyr/update5.bin", "zephyr/update6.bin", "zephyr/update7.bin", "zephyr/update8.bin",
				"zephyr/update9.bin", "zephyr/updateA.bin"),
			"ROOT: zephyr/zephyr.signed.bin is not there; signed or for updates by their names are " +
				"zephyr/update1.bin, zephyr/update2.bin, zephyr/update3.bin, zephyr/update4.bin, zephyr/update5.bin, " +
				"zephyr/update6.bin, zephyr/update7.bin, zephyr/update8.bin and 2 more",
			"name the file, if one of them is to be sent",
		},
		{
			"for slot 1 only", "",
			with(sysbuild("app_slot1_variant/zephyr/zephyr.signed.bin"), "domains.yaml",
				domainsOf("app", "app_slot1_variant")),
			"ROOT: has no app/zephyr/zephyr.signed.bin, and no app/zephyr/zephyr.bin either: nothing is built",
			"west build -d ROOT shows why",
		},
		{
			"several cores in one, for slot 1 only", "", sysbuild("zephyr/zephyr_secondary_app.signed.bin"),
			"ROOT: has no app/zephyr/zephyr.signed.bin, and no app/zephyr/zephyr.bin either: nothing is built",
			"west build -d ROOT shows why",
		},
		{
			"not configured yet", "", map[string]string{"domains.yaml": domainsOf("app"), "app/": ""},
			"ROOT: has no app/zephyr/zephyr.signed.bin, and no app/zephyr/zephyr.bin either: nothing is built",
			"west build -d ROOT shows why",
		},
		{
			"configured only", "", plain(mcubootConfig),
			"ROOT: has no zephyr/zephyr.signed.bin, and no zephyr/zephyr.bin either: nothing is built",
			"west build -d ROOT shows why",
		},
		{
			"bootloader of sysbuild", "mcuboot", sysbuild("app/zephyr/zephyr.signed.bin"),
			"ROOT/mcuboot: holds the bootloader, MCUboot, and no application",
			"name the build folder of the application",
		},
		{
			"bootloader alone, signed by somebody", "",
			plain(loaderConfig, "zephyr/zephyr.bin", "zephyr/zephyr.signed.bin"),
			"ROOT: holds the bootloader, MCUboot, and no application", "name the build folder of the application",
		},
		{
			"application that is gone", "", with(sysbuild(), "domains.yaml", domainsOf("gone", "mcuboot")),
			"ROOT: the folder of the application, gone, is not there", "build again: west build -d ROOT",
		},
		{
			"empty folder", "", map[string]string{},
			"ROOT: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config", folder,
		},
		{
			"Zephyr's own sources", "", map[string]string{"zephyr/Kconfig": "", "zephyr/CMakeLists.txt": ""},
			"ROOT: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config", folder,
		},
		{
			"another CMake project", "", map[string]string{"CMakeCache.txt": ""},
			"ROOT: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config", folder,
		},
		{
			"folder of the application", "", map[string]string{"prj.conf": "", "src/": "", "build/zephyr/.config": ""},
			"ROOT: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config",
			"build folders in it: ROOT/build",
		},
		{
			"folder of several builds", "",
			map[string]string{"frdm_k64f/domains.yaml": "", "nrf52840dk/zephyr/.config": "", "notes/": ""},
			"ROOT: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config",
			"build folders in it: ROOT/frdm_k64f, ROOT/nrf52840dk",
		},
		{
			"zephyr of a build folder", "zephyr", plain(mcubootConfig, "zephyr/zephyr.signed.bin"),
			"ROOT/zephyr: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config",
			"the build folder is ROOT",
		},
		{"no folder", "none", map[string]string{}, "ROOT/none: no such file or directory", ""},
		{"file", "app.bin", map[string]string{"app.bin": ""}, "ROOT/app.bin: is not a folder", ""},
		{
			".config that is a folder", "", map[string]string{"zephyr/.config/": ""},
			"ROOT: zephyr/.config: is a directory", "",
		},
		{
			"package that is a folder", "", map[string]string{"dfu_application.zip/": ""},
			"ROOT: is no build folder of Zephyr: it has neither domains.yaml nor zephyr/.config", folder,
		},
	} {
		t.Run(c.name, func(t *testing.T) { checkBuildError(t, c.files, c.dir, c.want, c.hint) })
	}
}

func checkBuildError(t *testing.T, files map[string]string, dir, want, hint string) {
	t.Helper()
	root := tree(t, files)
	got, err := BuildFile(filepath.Join(root, dir))
	var wrong *BuildError
	if !errors.As(err, &wrong) {
		t.Fatalf("BuildFile = %q, %v, want a *BuildError", got, err)
	}
	// The system's words for it, which commands show as Unix has them.
	_, gone := os.Stat(filepath.Join(root, "no-such-file"))
	text := strings.Replace(generic(err.Error(), root), errors.Unwrap(gone).Error(), "no such file or directory", 1)
	if text != want || generic(wrong.Hint(), root) != hint {
		t.Errorf("BuildFile:\n got %s (%s)\nwant %s (%s)", text, generic(wrong.Hint(), root), want, hint)
	}
}

// TestBuildFileOutside: a domain that is not below the build folder is shown by its whole path.
func TestBuildFileOutside(t *testing.T) {
	other := tree(t, map[string]string{"zephyr/zephyr.bin": "", "zephyr/.config": mcubootConfig})
	root := tree(t, map[string]string{"domains.yaml": "default: app\nbuild_dir: /w/build\ndomains:\n" +
		"  - name: app\n    build_dir: " + filepath.ToSlash(other) + "\n"})
	_, err := BuildFile(root)
	want := root + ": " + filepath.Join(other, "zephyr", "zephyr.bin") + " is not signed"
	if err == nil || err.Error() != want {
		t.Errorf("BuildFile = %v, want %s", err, want)
	}
}

// TestBuildFileRelative: what is named as seen from the current folder is returned and shown so.
func TestBuildFileRelative(t *testing.T) {
	t.Chdir(tree(t, map[string]string{"build/zephyr/zephyr.signed.bin": "", "app/build/zephyr/.config": ""}))
	got, err := BuildFile("build" + string(filepath.Separator))
	if want := filepath.Join("build", "zephyr", "zephyr.signed.bin"); err != nil || got != want {
		t.Errorf("BuildFile = %q, %v, want %q", got, err, want)
	}
	var wrong *BuildError
	if _, err := BuildFile("app"); !errors.As(err, &wrong) ||
		wrong.Hint() != "build folders in it: "+filepath.Join("app", "build") {
		t.Errorf("BuildFile = %v (%s)", err, wrong.Hint())
	}
}
