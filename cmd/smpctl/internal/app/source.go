package app

import (
	"runtime/debug"
	"strings"
)

// release is what a release was built from: its version, the revision, and when that was made, as in
//
//	v1.2.3 0123abcd 2026-11-21T10:30:00Z
//
// The linker sets it (.ci/release). It is empty in all other builds: those the Go toolchain describes.
var release string

// BuildInfo says from what this program was built, and false if nobody noted it.
func BuildInfo() (*debug.BuildInfo, bool) {
	info, ok := debug.ReadBuildInfo()
	return released(info, ok, release)
}

// released puts what a release says of itself in place of what the toolchain found.
func released(info *debug.BuildInfo, ok bool, release string) (*debug.BuildInfo, bool) {
	fields := strings.Fields(release)
	if len(fields) != 3 {
		return info, ok
	}
	return &debug.BuildInfo{Main: debug.Module{Version: fields[0]}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: fields[1]}, {Key: "vcs.time", Value: fields[2]},
	}}, true
}

// Version is that of this program; "(unknown)" if nobody noted it.
func Version() string {
	if info, ok := BuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
