package image

import (
	"regexp"
	"strconv"
)

// Patterns of a list of dependencies, and of one of them.
const (
	dependencyList = `^\s*(\(\s*\d+\s*,\s*[0-9.+]+\s*\)\s*,?\s*)+$`
	dependencyItem = `\(\s*(\d+)\s*,\s*([0-9.+]+)\s*\)`
)

// ParseDependencies reads imgtool's text form of dependencies, image number and
// least version of each: "(1, 1.2.3+4), (2, 1.0)". Errors are of kind
// [ErrBadOption] or [ErrBadVersion].
func ParseDependencies(s string) ([]Dependency, error) {
	if !regexp.MustCompile(dependencyList).MatchString(s) {
		return nil, fail(ErrBadOption, "dependencies %.80q: want (IMAGE,VERSION), as in (1,1.2.3+4),(2,1.0)", s)
	}
	var list []Dependency
	for _, m := range regexp.MustCompile(dependencyItem).FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseUint(m[1], 10, 8)
		if err != nil {
			return nil, fail(ErrBadOption, "dependencies: image %.20s: want a number up to 255", m[1])
		}
		v, err := ParseVersion(m[2])
		if err != nil {
			return nil, err
		}
		list = append(list, Dependency{uint8(n), v})
	}
	return list, nil
}
