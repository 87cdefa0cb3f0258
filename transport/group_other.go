//go:build !linux

package transport

// groupNeeded finds nothing: on these systems membership in a group is not how a user gets at a port.
func groupNeeded(string, error) (group string, listed bool) { return "", false }
