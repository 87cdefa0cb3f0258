package dfu

// For tests of what is pure.
var (
	Advice  = advice
	Resolve = resolve
)
