//go:build !linux

package sim

const noControl = 0
