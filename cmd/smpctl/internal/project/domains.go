package project

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// domainsFile is what sysbuild writes about the builds below it (zephyr: share/sysbuild/cmake/domains.cmake, read by
// scripts/pylib/build_helpers/domains.py).
const domainsFile = "domains.yaml"

// maxDomains bounds the bytes of a domains.yaml, of which each domain takes a few hundred.
const maxDomains = 64 << 10

// domains are folders of builds that sysbuild started.
type domains struct {
	application string   // the default domain's
	variants    []string // of the application for another slot
}

// readDomains reads the domains.yaml of a build folder. The error does not name the file.
func readDomains(dir string) (domains, error) {
	text, err := readFile(filepath.Join(dir, domainsFile), maxDomains)
	if err != nil {
		return domains{}, err
	}
	return parseDomains(dir, text)
}

// parseDomains reads the text of the domains.yaml that lies in this folder.
func parseDomains(dir string, text []byte) (domains, error) {
	var doc yaml.Node // not a struct: nothing is expanded, and no error speaks of Go's types
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return domains{}, fmt.Errorf("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return domains{}, errors.New("is empty")
	}
	root := doc.Content[0]
	name, top := scalar(root, "default"), scalar(root, "build_dir")
	if name == "" {
		return domains{}, errors.New("names no default domain")
	}
	var d domains
	var names []string
	for _, entry := range sequence(root, "domains") {
		domain, folder := scalar(entry, "name"), scalar(entry, "build_dir")
		if domain == "" || folder == "" {
			return domains{}, fmt.Errorf("line %d: a domain needs name and build_dir", entry.Line)
		}
		names = append(names, domain)
		switch folder = place(dir, top, folder); domain {
		case name:
			d.application = folder
		// For the other slot: Zephyr's name (SB_CONFIG_MCUBOOT_DIRECT_XIP_GENERATE_VARIANT), and that of the
		// nRF Connect SDK (cmake/sysbuild/zip.cmake).
		case name + "_slot1_variant", "mcuboot_secondary_app":
			d.variants = append(d.variants, folder)
		}
	}
	switch {
	case len(names) == 0:
		return domains{}, errors.New("lists no domains")
	case d.application == "":
		return domains{}, fmt.Errorf("the default domain %q is none of those listed: %s", short(name),
			short(strings.Join(names, ", ")))
	}
	return d, nil
}

// place is where the folder of a domain is now. sysbuild writes absolute paths of the machine that built; in a build
// folder that was moved, or came from a container, the domain is still where it was in it.
func place(dir, top, folder string) string {
	top, folder = path.Clean(top), path.Clean(folder)
	if !isAbs(folder) {
		if !isAbs(top) {
			folder = path.Join(top, folder)
		}
		return filepath.Join(dir, filepath.FromSlash(folder))
	}
	if inside, ok := strings.CutPrefix(folder+"/", strings.TrimSuffix(top, "/")+"/"); ok {
		return filepath.Join(dir, filepath.FromSlash(inside))
	}
	return filepath.FromSlash(folder)
}

// isAbs goes by CMake's way of writing, which is the same on all systems: /… or C:/….
func isAbs(p string) bool {
	return strings.HasPrefix(p, "/") || len(p) > 2 && p[1:3] == ":/"
}

// scalar is the text under a key of a mapping, empty if there is none.
func scalar(mapping *yaml.Node, key string) string {
	if n := under(mapping, key); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// sequence are the entries under a key of a mapping.
func sequence(mapping *yaml.Node, key string) []*yaml.Node {
	if n := under(mapping, key); n != nil && n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

// under is what a mapping has under a key, or nil. Aliases are not followed: sysbuild writes none.
func under(mapping *yaml.Node, key string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}
