// Package update has the commands that change what a device runs: upgrade, recover, image, reset. What is done and
// whether it succeeded is decided in package dfu; here it is asked for and shown.
package update
