package failure_test

import (
	"fmt"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp/fleet"
)

// TestPlanHint: boards that are not as they should be are a matter of ports, and each error says what to do.
func TestPlanHint(t *testing.T) {
	two := []fleet.Candidate{{Port: "a", VID: 1, Serial: "S", Location: "1-1"}, {Port: "b", VID: 1, Serial: "S"}}
	ports := []fleet.Candidate{{Port: "a", Location: "1-1"}, {Port: "b", Location: "1-1", Interface: 2}}
	fewer, _ := fleet.NewPlan(nil, fleet.PlanOptions{})
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"twins", refusal(t, two), "plug in one of them at a time: after a reset nobody could tell which is which"},
		{"several ports", refusal(t, ports), "add if=N to the address, the number of the port's interface; " +
			"smpctl ports --probe shows which answers"},
		{"too few", &fleet.ExpectError{Want: 2, Found: fewer.Boards},
			"nothing was touched: plug in what is missing; smpctl ports shows what is there"},
		{"too many", &fleet.ExpectError{Want: 1, Found: make([]fleet.Board, 2)},
			"nothing was touched: unplug what is too many, or name the boards more closely with -p"},
	} {
		err := fmt.Errorf("%w (waited 10s)", tt.err)
		k := failure.KindOf(t.Context(), err)
		if got := failure.Hint(k, err, failure.Situation{}); got != tt.want || k.Name != "port" {
			t.Errorf("%s: %s, hint\n%s, want port,\n%s", tt.name, k.Name, got, tt.want)
		}
	}
}

// refusal is why a plan refuses the first board of ports.
func refusal(t *testing.T, ports []fleet.Candidate) error {
	t.Helper()
	plan, err := fleet.NewPlan(ports, fleet.PlanOptions{})
	if err != nil || len(plan.Boards) == 0 || plan.Boards[0].Refused == nil {
		t.Fatalf("not refused: %+v, %v", plan, err)
	}
	return plan.Boards[0].Refused
}
