//go:build !unix

package monitor

// readsInBackground does nothing: there is no job control here.
func readsInBackground() {}
