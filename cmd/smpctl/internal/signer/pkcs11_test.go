package signer

import (
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
)

func TestFindHelper(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	a := &app.App{Env: func(string) (string, bool) { return "", false }}
	if path, err := findHelper(a); err == nil ||
		!strings.Contains(err.Error(), "put it beside smpctl or on the path, or name it in SMPCTL_PKCS11") {
		t.Errorf("findHelper = %q, %v, want what to do", path, err)
	}
	a.Env = func(name string) (string, bool) { return "/opt/helper", name == helperVariable }
	if path, err := findHelper(a); err != nil || path != "/opt/helper" {
		t.Errorf("findHelper = %q, %v, want the variable's", path, err)
	}
}
