package station

import (
	"slices"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// Codes that an operator may scan besides labels, for whoever has no keyboard.
const (
	codeOperator = "operator:" // and who works here from now on
	codeSeen     = "seen"      // all that was said is acknowledged
)

// scanned takes in what a scanner read.
func (g *rig) scanned(now time.Time, text string) (orders []order, seen []deed) {
	text = strings.TrimSpace(text)
	name, isOperator := strings.CutPrefix(text, codeOperator)
	switch {
	case text == "":
	case hidden("", text) != nil:
		g.sayBriefly(now, page.Warning, "what was scanned cannot be a label: scan it again")
	case isOperator:
		g.operator = strings.TrimSpace(name)
		g.sayBriefly(now, page.Info, "operator: %s", g.operator)
	case text == codeSeen:
		return g.acknowledged(now, "")
	case g.start == startButton:
		return g.button(now, text), nil
	case g.start == startScan:
		return g.labelScanned(now, text), nil
	default:
		g.sayBriefly(now, page.Warning, "this station takes no labels: plug the board in")
	}
	return g.decide(now), nil
}

// labelScanned takes in the label of a board.
func (g *rig) labelScanned(now time.Time, label string) []order {
	if !g.isGood(now, label) {
		return g.decide(now)
	}
	waiting := slices.DeleteFunc(slices.Clone(g.slots), func(s *slot) bool { return s.phase != held })
	switch {
	case label == g.label:
		g.labelled = now
		g.sayBriefly(now, page.Info, "%s was scanned already: plug the board in", label)
		return g.decide(now)
	case len(waiting) > 1:
		g.sayBriefly(now, page.Warning, "%d boards wait for a label: pull out all but the one of %s, and scan it again",
			len(waiting), label)
		return g.decide(now)
	case g.label != "":
		g.sayBriefly(now, page.Warning, "%s was not used; it is %s now", g.label, label)
	}
	g.label, g.labelled = label, now
	return g.decide(now)
}

// isGood tells whether a label may be used, and says why not.
func (g *rig) isGood(now time.Time, label string) bool {
	if g.rules.label != nil && !g.rules.label.MatchString(label) {
		g.sayBriefly(now, page.Warning, "%q is not a label of this station: scan the label of the board", label)
		return false
	}
	for _, s := range g.slots {
		if s.phase == working && s.turn.label == label {
			g.sayBriefly(now, page.Warning, "%s is being worked on in %s: scan another label", label, s.name)
			return false
		}
	}
	before, ok := g.past.labels[label]
	switch {
	case !ok || g.repeat == repeatAllow:
	case g.repeat == repeatRefuse:
		g.sayBriefly(now, page.Warning, "%s passed before, on %s: scan another label", label,
			before.at.Local().Format(timeForm))
		return false
	default:
		g.sayBriefly(now, page.Warning, "%s passed before, on %s", label, before.at.Local().Format(timeForm))
	}
	return true
}
