package boards

import (
	"strings"
	"testing"

	"github.com/smpctl/smpctl/smp/fleet"
)

func TestClashes(t *testing.T) {
	board := func(name, id string) claim { return claim{fleet.Board{Name: name}, id} }
	wrong := clashes([]claim{board("a", "SN1"), board("b", "SN2"), board("c", "sn1"), board("d", "SN3"),
		board("e", "SN1")})
	if len(wrong) != 3 || wrong["b"] != nil || wrong["d"] != nil {
		t.Fatalf("clashes = %v", wrong)
	}
	for name, want := range map[string]string{
		"a": "3 boards say that they are SN1, so none of them is touched: a, c and e",
		"c": "3 boards say that they are sn1",
		"e": "SN1",
	} {
		if err := wrong[name]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
