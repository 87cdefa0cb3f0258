package fleet

import (
	"cmp"
	"strings"
)

// inPlace orders boards as they are plugged in.
func inPlace(a, b Candidate) int {
	return cmp.Or(natural(a.Location, b.Location), natural(a.Serial, b.Serial), byPort(a, b))
}

// byPort orders candidates by their ports; of two for one port, the one of which more is known is first.
func byPort(a, b Candidate) int {
	return cmp.Or(natural(a.Port, b.Port), strings.Compare(b.Location, a.Location), strings.Compare(b.Serial, a.Serial),
		cmp.Compare(b.VID, a.VID), cmp.Compare(b.PID, a.PID), cmp.Compare(b.Interface, a.Interface),
		apartFirst(a, b), strings.Compare(b.Address, a.Address))
}

func apartFirst(a, b Candidate) int {
	switch {
	case a.Apart == b.Apart:
		return 0
	case a.Apart:
		return -1
	}
	return 1
}

// natural compares texts with numbers in them by the values of these: 1-1.2 comes before 1-1.10.
func natural(a, b string) int {
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m == 0 || n == 0 {
			if c := cmp.Compare(a[0], b[0]); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:m], "0"), strings.TrimLeft(b[:n], "0")
		if c := cmp.Or(len(x)-len(y), strings.Compare(x, y), m-n); c != 0 {
			return c
		}
		a, b = a[m:], b[n:]
	}
	return len(a) - len(b)
}

// digits is how many of them a text begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
