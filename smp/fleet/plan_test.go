package fleet_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp/fleet"
)

type candidate = fleet.Candidate

// at is the port of a board of the usual product.
func at(port, serial, location string) candidate {
	return candidate{Port: port, VID: 0x2fe3, PID: 4, Serial: serial, Location: location}
}

// on is the same port of another interface.
func on(c candidate, number int) candidate {
	c.Interface = number
	return c
}

// apart is a port that was asked for by the number of its interface.
func apart(c candidate, number int) candidate {
	c.Interface, c.Apart = number, true
	return c
}

// shown is a plan in words: name=port, and why a board is refused.
func shown(p fleet.Plan) (texts []string) {
	for _, b := range p.Boards {
		text := b.Name + "=" + b.Port
		var clash *fleet.ClashError
		var ports *fleet.PortsError
		switch {
		case errors.As(b.Refused, &clash):
			text += fmt.Sprintf(" clash of %d", len(clash.Boards))
		case errors.As(b.Refused, &ports):
			text += fmt.Sprintf(" has %d ports", len(ports.Ports))
		case b.Refused != nil:
			text += " " + b.Refused.Error()
		}
		texts = append(texts, text)
	}
	return texts
}

func TestPlan(t *testing.T) {
	type found = []candidate
	otherVendor := func(c candidate) candidate { c.VID = 0x0483; return c }
	bare := func(port string) candidate { return candidate{Port: port, Interface: -1} }
	tests := []struct {
		name  string
		found found
		want  []string
	}{
		{"nothing", nil, nil},
		{"places by number, not by letter", found{at("c", "S3", "1-1.10"), at("b", "S2", "1-1.9"), at("a", "S1", "1-2"),
			at("d", "S4", "1-1.1.2")},
			[]string{"S4=d", "S2=b", "S3=c", "S1=a"}},
		{"without places by serial number, then by port", found{at("a", "S10", ""), at("b", "S9", ""), bare("p10"),
			bare("p9")},
			[]string{"p9=p9", "p10=p10", "S9=b", "S10=a"}},
		{"named twice", found{at("a", "S1", "1-1"), at("a", "S1", "1-1")}, []string{"S1=a"}},
		{"named twice, once by a name that tells nothing", found{bare("a"), at("a", "S1", "1-1")}, []string{"S1=a"}},

		{"two interfaces of a board in its place", found{on(at("b", "S1", "1-1"), 2), at("a", "S1", "1-1")},
			[]string{"S1=a has 2 ports"}},
		{"two interfaces of a board whose place is not known", found{on(at("b", "S1", ""), 2), at("a", "S1", "")},
			[]string{"S1=a has 2 ports"}},
		{"several ports of one interface in one place", found{at("b", "S1", "1-1"), at("a", "S1", "1-1")},
			[]string{"S1=a has 2 ports"}},
		{"while a board changes, two devices in its place", found{at("b", "S1", "1-1"),
			{Port: "a", VID: 0x2fe3, PID: 0x100, Location: "1-1", Interface: 2}},
			[]string{"S1=b has 2 ports"}},

		{"one identity in two places", found{at("a", "S1", "1-1"), at("b", "S1", "1-2"), at("c", "S2", "1-3")},
			[]string{"1-1=a clash of 2", "1-2=b clash of 2", "S2=c"}},
		{"one identity but for case", found{at("a", "SNa", "1-1"), at("b", "SNA", "1-2")},
			[]string{"1-1=a clash of 2", "1-2=b clash of 2"}},
		{"one identity in three places", found{at("a", "S1", "1-1"), at("b", "S1", "1-2"), at("c", "S1", "1-3")},
			[]string{"1-1=a clash of 3", "1-2=b clash of 3", "1-3=c clash of 3"}},
		{"one identity, places not known", found{at("a", "S1", ""), at("b", "S1", "")},
			[]string{"a=a clash of 2", "b=b clash of 2"}},
		{"one identity, one place known", found{at("a", "S1", "1-1"), at("b", "S1", "")},
			[]string{"b=b clash of 2", "1-1=a clash of 2"}},
		{"one identity, and one of the two has two ports", found{at("a", "S1", "1-1"), on(at("b", "S1", "1-1"), 2),
			at("c", "S1", "1-2")},
			[]string{"1-1=a clash of 2", "1-2=c clash of 2"}},
		{"one serial number of two vendors", found{at("a", "S1", "1-1"), otherVendor(at("b", "S1", "1-2"))},
			[]string{"1-1=a", "1-2=b"}},

		{"a bridge with several UARTs, of which two were asked for", found{apart(at("b", "S1", "1-1"), 1),
			apart(at("c", "S1", "1-1"), 2)},
			[]string{"b=b", "c=c"}},
		{"a bridge whose place is not known", found{apart(at("b", "S1", ""), 1), apart(at("c", "S1", ""), 2)},
			[]string{"b=b", "c=c"}},
		{"a bridge of which all were asked for, and one by its number", found{at("a", "S1", "1-1"),
			on(at("b", "S1", "1-1"), 1), apart(at("b", "S1", "1-1"), 1)},
			[]string{"S1=a has 2 ports"}},
		{"two bridges with one serial number", found{apart(at("b", "S1", "1-1"), 1), apart(at("c", "S1", "1-1"), 2),
			apart(at("d", "S1", "1-2"), 1)},
			[]string{"b=b clash of 2", "c=c clash of 2", "1-2=d clash of 2"}},

		{"no serial numbers", found{at("b", "", "1-2"), at("a", "", "1-1")}, []string{"1-1=a", "1-2=b"}},
		{"no serial numbers and no places", found{at("b", "", ""), at("a", "", "")}, []string{"a=a", "b=b"}},
		{"a serial number that is another board's place", found{at("a", "1-2", "1-1"), at("b", "", "1-2")},
			[]string{"1-1=a", "b=b"}},
		{"a serial number that is another board's port", found{at("a", "b", "1-1"), at("b", "", "")},
			[]string{"b=b", "1-1=a"}},
		{"a serial number that is the board's own place", found{at("a", "1-1", "1-1")}, []string{"1-1=a"}},
		{"a serial number like another board's port but for case", found{at("x", "com3", "1-1"), bare("COM3")},
			[]string{"COM3=COM3", "1-1=x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan, err := fleet.NewPlan(test.found, fleet.PlanOptions{})
			if diff := cmp.Diff(test.want, shown(plan)); err != nil || diff != "" {
				t.Errorf("NewPlan: %v, -want +got:\n%s", err, diff)
			}
		})
	}
}

func TestPlanExpects(t *testing.T) {
	two := []candidate{at("a", "S1", "1-1"), at("b", "", "")}
	tests := []struct {
		name   string
		found  []candidate
		expect int
		want   string // empty: no error
	}{
		{"any number", two, 0, ""},
		{"as many as there are", two, 2, ""},
		{"more", two, 3, "3 boards expected, 2 there: b, S1 (a)"},
		{"fewer", two, 1, "1 board expected, 2 there: b, S1 (a)"},
		{"none there", nil, 8, "8 boards expected, 0 there"},
		{"a board with two ports is one", []candidate{at("a", "S1", "1-1"), on(at("b", "S1", "1-1"), 2)}, 1, ""},
		{"boards that are refused are there", []candidate{at("a", "S1", "1-1"), at("b", "S1", "1-2")}, 2, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan, err := fleet.NewPlan(test.found, fleet.PlanOptions{Expect: test.expect})
			var wrong *fleet.ExpectError
			switch {
			case test.want == "" && err == nil:
			case !errors.As(err, &wrong) || err.Error() != test.want:
				t.Errorf("NewPlan: %v, want %q", err, test.want)
			case len(wrong.Found) != len(plan.Boards):
				t.Errorf("the error has %d boards, the plan %d", len(wrong.Found), len(plan.Boards))
			}
		})
	}
}

func TestRefusalsSayWhich(t *testing.T) {
	plan, _ := fleet.NewPlan([]candidate{at("/dev/ttyACM0", "S1", "1-1"), at("/dev/ttyACM1", "S1", "1-2"),
		at("/dev/ttyACM2", "S2", "1-3"), on(at("/dev/ttyACM3", "S2", "1-3"), 2)}, fleet.PlanOptions{})
	want := []string{
		"2 boards say that they are 2fe3:0004 with serial number S1, and cannot be told apart: " +
			"/dev/ttyACM0 at 1-1, /dev/ttyACM1 at 1-2",
		"the board has several ports that fit: /dev/ttyACM2 (if=0), /dev/ttyACM3 (if=2)",
	}
	refused := plan.Refused()
	got := []string{refused[0].Refused.Error(), refused[2].Refused.Error()}
	if diff := cmp.Diff(want, got); diff != "" || len(refused) != 3 {
		t.Errorf("%d refused, -want +got:\n%s", len(refused), diff)
	}
}

// TestPlanOfAnyPorts: whatever ports there are, no port is worked on twice, none is lost, no two boards have one name
// or one identity, and the order of the ports does not matter.
func TestPlanOfAnyPorts(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 13))
		found := anyPorts(random)
		plan, err := fleet.NewPlan(found, fleet.PlanOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if wrong := unsound(plan, found); wrong != "" {
			t.Fatalf("seed %d: %s\nports: %+v\nplan: %v", seed, wrong, found, shown(plan))
		}
		random.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		again, _ := fleet.NewPlan(found, fleet.PlanOptions{})
		if diff := cmp.Diff(plan, again); diff != "" {
			t.Fatalf("seed %d: the order of the ports matters, -first +shuffled:\n%s", seed, diff)
		}
	}
}

// anyPorts are those of boards with one or more interfaces, with or without serial numbers and places, some of them
// listed twice, and twins.
func anyPorts(random *rand.Rand) (found []candidate) {
	serials := []string{"", "", "S1", "s1", "S2", "1-1.1", "p3", "é"}
	for i := range random.IntN(9) {
		c := candidate{VID: uint16(1 + random.IntN(2)), PID: uint16(random.IntN(2)), Interface: -1,
			Serial: serials[random.IntN(len(serials))]}
		if random.IntN(3) > 0 {
			c.Location = fmt.Sprintf("1-1.%d", i)
		}
		for number := range 1 + random.IntN(3)*random.IntN(2) {
			c.Port = fmt.Sprintf("p%d", len(found))
			if random.IntN(4) > 0 {
				c.Interface = number
			}
			for range 1 + random.IntN(2) {
				c.Apart = random.IntN(3) == 0
				found = append(found, c)
			}
		}
	}
	return found
}

// unsound says what is wrong with a plan of these ports; empty if nothing is.
func unsound(plan fleet.Plan, found []candidate) string {
	names, identities := map[string]bool{}, map[string]fleet.Board{}
	ports := map[string]int{} // in how many boards
	for _, b := range plan.Boards {
		if b.Name == "" || names[b.Name] {
			return "a name is there twice: " + b.Name
		}
		names[b.Name] = true
		mine := []candidate{b.Candidate}
		var several *fleet.PortsError
		if errors.As(b.Refused, &several) {
			mine = several.Ports
		}
		for _, c := range mine {
			ports[c.Port]++
		}
		if b.Refused != nil || b.Serial == "" {
			continue
		}
		identity := fmt.Sprintf("%x %x %s", b.VID, b.PID, strings.ToLower(b.Serial))
		if other, ok := identities[identity]; ok && !(b.Apart && other.Apart && b.Location == other.Location) {
			return "an identity is worked on twice: " + identity
		}
		identities[identity] = b
	}
	for _, c := range found {
		if ports[c.Port] > 1 || ports[c.Port] == 0 && !refusedWith(plan, c) {
			return fmt.Sprintf("%s is in %d boards", c.Port, ports[c.Port])
		}
	}
	return ""
}

// refusedWith reports whether a port belongs to a board that is refused for its identity.
func refusedWith(plan fleet.Plan, c candidate) bool {
	return slices.ContainsFunc(plan.Boards, func(b fleet.Board) bool {
		var clash *fleet.ClashError
		same := b.Location == c.Location && (c.Location != "" || strings.EqualFold(b.Serial, c.Serial))
		return errors.As(b.Refused, &clash) && same && b.VID == c.VID && b.PID == c.PID
	})
}
