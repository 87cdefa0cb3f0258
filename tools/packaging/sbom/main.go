// Sbom writes what Go programs consist of, as they say it themselves, as a CycloneDX document: all modules of all
// programs given, with the checksums of go.sum. The same programs give the same bytes, so the document has no serial
// number and no time.
//
//	sbom NAME VERSION PROGRAM...
package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"log"
	"os"
	"slices"
)

// document is the part of CycloneDX 1.5 that is needed (https://cyclonedx.org/docs/1.5/json/).
type document struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"` // of the document
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Package    string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref  string   `json:"ref"`
	Need []string `json:"dependsOn"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("sbom: ")
	if len(os.Args) < 4 {
		log.Fatal("usage: sbom NAME VERSION PROGRAM...")
	}
	modules, err := modulesOf(os.Args[3:])
	if err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(describe(os.Args[1], os.Args[2], modules)); err != nil {
		log.Fatal(err)
	}
}

// modulesOf lists the modules of all programs and the Go that built them, each once, in order.
func modulesOf(programs []string) ([]component, error) {
	var all []component
	for _, name := range programs {
		info, err := buildinfo.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, module("std", info.GoVersion, ""))
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			all = append(all, module(m.Path, m.Version, m.Sum))
		}
	}
	slices.SortFunc(all, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	return slices.CompactFunc(all, func(a, b component) bool { return a.Ref == b.Ref }), nil
}

func module(path, version, sum string) component {
	name := "pkg:golang/" + path + "@" + version
	c := component{Ref: name, Type: "library", Name: path, Version: version, Package: name}
	if sum != "" {
		c.Properties = []property{{"go.sum", sum}}
	}
	return c
}

func describe(name, version string, modules []component) document {
	main := module(name, version, "")
	main.Type = "application"
	needs := dependency{Ref: main.Ref, Need: []string{}}
	for _, m := range modules {
		needs.Need = append(needs.Need, m.Ref)
	}
	return document{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{main}, Components: modules,
		Dependencies: []dependency{needs}}
}
