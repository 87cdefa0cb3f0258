package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/smp/sim"
	"go.uber.org/goleak"
)

// TestConsoleEnds resets a device with its console on each kind of port, and leaves nothing behind.
func TestConsoleEnds(t *testing.T) {
	_, address := clitest.ServeDevice(t, sim.Options{Console: true, BootTime: time.Millisecond})
	board, second := clitest.ServeDevice(t, sim.Options{Console: true, BootTime: time.Millisecond})
	for _, a := range []string{address, second} { // once they answer, all of their goroutines are there
		if got := runLine(t, "-p", a, "echo", "hello"); got.Code != 0 {
			t.Fatalf("echo: got %+v", got)
		}
	}
	before := goleak.IgnoreCurrent()
	for _, where := range []string{"", "=" + second, "=" + address} {
		if where == "="+second {
			time.AfterFunc(500*time.Millisecond, board.Reset)
		}
		got := runLine(t, "-p", address, "reset", "--console"+where)
		if got.Code != 0 || !strings.Contains(got.Err, "console   *** Booting Zephyr") {
			t.Errorf("--console%s: got %+v, want 0 and the boot", where, got)
		}
		// it reset
		goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/smpctl/smpctl/smp/sim.(*Device).serve"))
	}
}
