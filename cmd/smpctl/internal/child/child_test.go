package child

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithoutSecrets(t *testing.T) {
	given := []string{`=C:=C:\work`, "PATH=/bin", "SMPCTL_PIN=1", "smpctl_passphrase=2", "SMPCTL_PIN_PAD=3", "MINE=4",
		"EMPTY=", "SMPCTL_PORT=5"}
	want := []string{`=C:=C:\work`, "PATH=/bin", "SMPCTL_PIN_PAD=3", "EMPTY=", "SMPCTL_PORT=5"}
	if diff := cmp.Diff(want, WithoutSecrets(given, "MINE")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
