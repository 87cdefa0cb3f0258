package cli

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionResult(t *testing.T) {
	here := versionResult{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	release, checkout, unknown := here, here, here
	release.Version = "v1.2.3"
	checkout.Version, checkout.Revision, checkout.Modified, checkout.Time = "(devel)", "0123abcd", true,
		"2026-11-21T10:30:00Z"
	unknown.Version = "(unknown)"
	tests := []struct {
		name string
		info *debug.BuildInfo
		want versionResult
		text string
	}{
		{"release", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, release, "smpctl v1.2.3 (GO)\n"},
		{
			"checkout", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.modified", Value: "true"},
				{Key: "vcs.time", Value: "2026-11-21T10:30:00Z"},
			}}, checkout, "smpctl (devel) (GO, revision 0123abcd with changes)\n",
		},
		{"no build information", nil, unknown, "smpctl (unknown) (GO)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := newVersionResult(tt.info, tt.info != nil)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			var text strings.Builder
			want := strings.Replace(tt.text, "GO", runtime.Version()+", "+runtime.GOOS+"/"+runtime.GOARCH, 1)
			if err := got.Text(&text); err != nil || text.String() != want {
				t.Errorf("text: got %q, %v, want %q", text.String(), err, want)
			}
		})
	}
}
