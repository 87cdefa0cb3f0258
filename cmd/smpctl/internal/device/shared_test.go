package device

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/transport"
)

// Sixty boards that look at the same time cost one list; what came since is seen soon.
func TestSharedList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lists := 0
		b := Shared(listed(func() ([]transport.Port, error) {
			lists++
			return make([]transport.Port, lists), nil
		}))
		for range 64 {
			if ports, err := b.Ports(); len(ports) != 1 || err != nil {
				t.Fatalf("%d ports, %v", len(ports), err)
			}
		}
		time.Sleep(freshFor)
		if ports, _ := b.Ports(); len(ports) != 2 || lists != 2 {
			t.Errorf("%d ports after %v, listed %d times, want 2 and 2", len(ports), freshFor, lists)
		}
		if Shared(b) != b {
			t.Error("a bus that is shared already is wrapped once more")
		}
	})
}
