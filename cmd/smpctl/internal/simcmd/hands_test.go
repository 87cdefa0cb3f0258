package simcmd

import (
	"strings"
	"testing"

	"github.com/smpctl/smpctl/smp/sim"
)

// TestHands does what lines say, and says of the others what is wrong with them.
func TestHands(t *testing.T) {
	rack := sim.NewRack()
	t.Cleanup(func() {
		if err := rack.Close(); err != nil {
			t.Error(err)
		}
	})
	boards, err := plugIn(rack, make([]sim.Options, 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, said, err string }{
		{"unplug 8", "SIM00008 is in no socket", ""},
		{"unplug 8", "SIM00008 is in no socket", ""},
		{"plug 8 1-1.1", "", "virtual rack: there is a board in 1-1.1"},
		{"plug 8", "SIM00008 is in 1-2.1", ""},
		{"plug 8 1-1.9", "", "virtual rack: the board is plugged into 1-2.1 already"},
		{"reset 1", "SIM00001 is reset", ""},
		{"reset 9", "", "want the number of a board, 1 to 8"},
		{"reset", "", "want plug N [SOCKET], unplug N or reset N"},
		{"unplug 1 now", "", "want plug N [SOCKET], unplug N or reset N"},
		{"plug 1 1-1.1 now", "", "want plug N [SOCKET], unplug N or reset N"},
		{"push 1", "", "want plug N [SOCKET], unplug N or reset N"},
	} {
		said, err := hands{boards}.do(strings.Fields(tt.line))
		if tt.err == "" && (err != nil || said != tt.said) || tt.err != "" && (err == nil || err.Error() != tt.err) {
			t.Errorf("%s: %q, %v, want %q, %q", tt.line, said, err, tt.said, tt.err)
		}
	}
	if boards[7].Location() != "1-2.1" || boards[0].Device().Stats().Resets == 0 {
		t.Error("what was said was not done")
	}
}

// TestSockets numbers sockets as hubs of seven do.
func TestSockets(t *testing.T) {
	for i, want := range map[int]string{0: "1-1.1", 6: "1-1.7", 7: "1-2.1", 48: "1-7.7", 49: "2-1.1", 255: "6-2.4"} {
		if got := socket(i); got != want {
			t.Errorf("board %d is in %s, want %s", i, got, want)
		}
	}
}
