//go:build !unix

package main

// readsInBackground does nothing: there is no job control here.
func readsInBackground() {}
