package app

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReleased(t *testing.T) {
	built := &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}
	release := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.time", Value: "2026-11-21T10:30:00Z"},
	}}
	tests := []struct {
		name    string
		info    *debug.BuildInfo
		release string
		want    *debug.BuildInfo
	}{
		{"release", built, "v1.2.3 0123abcd 2026-11-21T10:30:00Z", release},
		{"release without build information", nil, "v1.2.3 0123abcd 2026-11-21T10:30:00Z", release},
		{"another build", built, "", built},
		{"not what a release says", built, "v1.2.3", built},
		{"nothing known", nil, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := released(tt.info, tt.info != nil, tt.release)
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != nil) {
				t.Errorf("released = %t, want %t; (-want +got):\n%s", ok, tt.want != nil, diff)
			}
		})
	}
}
