//go:build !windows

package files

// unheld does something with a file, whoever else has it open.
func unheld(do func() error) error { return do() }
