package project

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDomains(t *testing.T) {
	dir := filepath.Join("x", "build")
	in := func(elem ...string) string { return filepath.Join(append([]string{dir}, elem...)...) }
	for _, c := range []struct {
		name, text string
		want       domains
	}{
		{"as sysbuild writes it", domainsOf("app", "mcuboot"), domains{application: in("app")}},
		{
			"as Windows writes it",
			"default: app\nbuild_dir: C:/w/build\ndomains:\n  - name: app\n    build_dir: C:/w/build/app\n",
			domains{application: in("app")},
		},
		{
			"with relative folders",
			"default: app\nbuild_dir: .\ndomains:\n  - name: app\n    build_dir: app\n",
			domains{application: in("app")},
		},
		{
			"with relative folders below",
			"default: app\nbuild_dir: sub\ndomains:\n  - name: app\n    build_dir: app\n",
			domains{application: in("sub", "app")},
		},
		{
			"with more than is asked for",
			"default: app\nbuild_dir: /w/build\ndomains:\n  - name: app\n    build_dir: /w/build/app\n" +
				"    source_dir: /w/app\nname_mapping:\n  app: hello\n", domains{application: in("app")},
		},
		{
			"outside the build folder",
			"default: app\nbuild_dir: /w/build\ndomains:\n  - name: app\n    build_dir: /elsewhere/app\n",
			domains{application: filepath.FromSlash("/elsewhere/app")},
		},
		{
			"in the top folder of a container",
			"default: app\nbuild_dir: /\ndomains:\n  - name: app\n    build_dir: /app\n",
			domains{application: in("app")},
		},
		{
			"beside a folder whose name begins the same",
			"default: app\nbuild_dir: /w/build\ndomains:\n  - name: app\n    build_dir: /w/build2/app\n",
			domains{application: filepath.FromSlash("/w/build2/app")},
		},
		{
			"variants", domainsOf("app", "app_slot1_variant", "other_slot1_variant", "mcuboot_secondary_app"),
			domains{application: in("app"), variants: []string{in("app_slot1_variant"), in("mcuboot_secondary_app")}},
		},
		{
			"names that look like numbers",
			"default: 1\nbuild_dir: /w\ndomains:\n  - name: 1\n    build_dir: /w/1\n", domains{application: in("1")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseDomains(dir, []byte(c.text))
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(domains{})); err != nil || diff != "" {
				t.Errorf("parseDomains: %v, -want +got:\n%s", err, diff)
			}
		})
	}
}

func TestParseDomainsMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"comment", "# nothing\n", "is empty"},
		{"text", "hello", "names no default domain"},
		{"no default", "build_dir: /w\ndomains: []\n", "names no default domain"},
		{"default that is a list", "default: [app]\n", "names no default domain"},
		{"no domains", "default: app\n", "lists no domains"},
		{"default that is not listed", strings.Replace(domainsOf("app", "mcuboot"), "app", "other", 1),
			`the default domain "other" is none of those listed: mcuboot, app`},
		{
			"domain without a folder", "default: app\ndomains:\n  - name: app\n",
			"line 3: a domain needs name and build_dir",
		},
		{
			"alias", "default: &a app\ndomains:\n  - name: *a\n    build_dir: x\n",
			"line 3: a domain needs name and build_dir",
		},
		{"tabs", "default: app\n\tx", "not YAML: line 2: found a tab character that violates indentation"},
		{"alias of nothing", "default: *a", "not YAML: unknown anchor 'a' referenced"},
		{"not UTF-8", "default: \xff", "not YAML: invalid leading UTF-8 octet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := parseDomains("build", []byte(c.text)); err == nil || err.Error() != c.want {
				t.Errorf("parseDomains = %+v, %v, want %s", got, err, c.want)
			}
		})
	}
}

// TestBuildFileDomains: mistakes in domains.yaml are told with its name.
func TestBuildFileDomains(t *testing.T) {
	const hint = "west build writes that file anew"
	for _, c := range []struct{ name, text, want string }{
		{"mistake", "default: app\n", "ROOT: domains.yaml: lists no domains"},
		{"too large", strings.Repeat("#", maxDomains+1), "ROOT: domains.yaml: is larger than 64 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkBuildError(t, map[string]string{"domains.yaml": c.text}, "", c.want, hint)
		})
	}
}

// TestAliases: nothing in a domains.yaml is expanded, however much it would be.
func TestAliases(t *testing.T) {
	text := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		text += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 10) + "x]\n"
	}
	if d, err := parseDomains("build", []byte(text+domainsOf("app"))); err != nil || d.application == "" {
		t.Errorf("parseDomains = %+v, %v", d, err)
	}
}
