package signer

import (
	"strings"
	"testing"
)

func TestFindHelper(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	none := func(string) (string, bool) { return "", false }
	if path, err := findHelper(none); err == nil ||
		!strings.Contains(err.Error(), "put it beside smpctl or on the path, or name it in SMPCTL_PKCS11") {
		t.Errorf("findHelper = %q, %v, want what to do", path, err)
	}
	set := func(name string) (string, bool) { return "/opt/helper", name == helperVariable }
	if path, err := findHelper(set); err != nil || path != "/opt/helper" {
		t.Errorf("findHelper = %q, %v, want the variable's", path, err)
	}
}
