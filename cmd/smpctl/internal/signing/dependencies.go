package signing

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/smpctl/smpctl/image"
)

// Patterns of a list of dependencies, and of one of them.
const (
	dependencyList = `^\s*(\(\s*\d+\s*,\s*[0-9.+]+\s*\)\s*,?\s*)+$`
	dependencyItem = `\(\s*(\d+)\s*,\s*([0-9.+]+)\s*\)`
)

// parseDependencies reads imgtool's text form of dependencies, image number and least version of each:
// "(1, 1.2.3+4), (2, 1.0)".
func parseDependencies(s string) ([]image.Dependency, error) {
	if !regexp.MustCompile(dependencyList).MatchString(s) {
		return nil, fmt.Errorf("dependencies %.80q: want (IMAGE,VERSION), as in (1,1.2.3+4),(2,1.0)", s)
	}
	var list []image.Dependency
	for _, m := range regexp.MustCompile(dependencyItem).FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseUint(m[1], 10, 8)
		if err != nil {
			return nil, fmt.Errorf("dependencies: image %.20s: want a number up to 255", m[1])
		}
		v, err := image.ParseVersion(m[2])
		if err != nil {
			return nil, err
		}
		list = append(list, image.Dependency{Image: uint8(n), Minimum: v})
	}
	return list, nil
}
