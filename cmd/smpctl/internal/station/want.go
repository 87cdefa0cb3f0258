package station

import (
	"fmt"
	"slices"
	"time"
)

// want is what is missing before a board is worked on.
type want int

const (
	nothing     want = iota
	wantRest         // the board has just been plugged in
	wantLabel        // its label
	wantButton       // that it is pressed
	wantTurn         // others are worked on, as many as may be
	wantRoom         // in the quota, which those that are worked on may fill
	wantOrder        // another one: the quota is reached
	wantEyes         // of somebody who looks into the failures
	wantRecords      // they cannot be written
	wantSight        // nobody knows what is plugged in
	wantStation      // it ends
)

// wanting says what is missing before the board in a slot is worked on.
func (g *rig) wanting(now time.Time, s *slot) want {
	busy, passed := g.busy(), g.past.passed
	switch {
	case g.ending:
		return wantStation
	case g.broken != "":
		return wantRecords
	case g.isStopped():
		return wantEyes
	case g.quota > 0 && passed >= g.quota:
		return wantOrder
	case g.isBlind(now):
		return wantSight
	case now.Sub(s.at) < settleTime || !g.fits(s.port):
		return wantRest
	case g.start == startScan && s.turn.label == "" && !g.labelFor(s):
		return wantLabel
	case busy >= g.jobs:
		return wantTurn
	case g.quota > 0 && passed+busy >= g.quota:
		return wantRoom
	case g.start == startButton:
		return wantButton
	}
	return nothing
}

// isBlind tells whether what is plugged in is not known any more.
func (g *rig) isBlind(now time.Time) bool { return g.blind != nil || now.Sub(g.lookedAt) > blindTime }

// busy is how many boards are worked on.
func (g *rig) busy() int {
	n := 0
	for _, s := range g.slots {
		if s.phase == working {
			n++
		}
	}
	return n
}

// isStopped tells whether there were too many failures in a row, and nobody has said to have looked into them.
func (g *rig) isStopped() bool { return g.stopAfter > 0 && g.failures >= g.stopAfter }

// labelFor tells whether the label that was scanned can only be meant for the board in this slot.
func (g *rig) labelFor(s *slot) bool {
	return g.label != "" && !slices.ContainsFunc(g.slots, func(o *slot) bool { return o != s && o.phase == held })
}

// troubleWith is why the board in a slot has to be refused; the zero value if it need not be.
func (g *rig) troubleWith(now time.Time, s *slot) trouble {
	here := now.Sub(s.at)
	if o := g.twinOf(s); o != nil {
		return trouble{"twin", fmt.Sprintf("%s has a board with the same serial number %s", o.name, s.port.Serial),
			"two boards must not have one serial number: put this one aside"}
	}
	if !g.fits(s.port) {
		if here < foreignTime {
			return trouble{}
		}
		return trouble{"other-board", fmt.Sprintf("%s:%s %s", s.port.VID, s.port.PID, s.port.Product),
			"this is no board for this station: pull it out"}
	}
	if here < settleTime {
		return trouble{}
	}
	return g.repeated(s)
}

// twinOf is another slot with a board that claims to be the one in this slot; nil if there is none.
func (g *rig) twinOf(s *slot) *slot {
	i := slices.IndexFunc(g.slots, func(o *slot) bool {
		there := o.seen && o.phase != empty || o.phase == working
		return o != s && there && o.port.VID == s.port.VID && isSame(o.port, s.port)
	})
	if i < 0 {
		return nil
	}
	return g.slots[i]
}

// repeated is what there is against a board that passed before with this image.
func (g *rig) repeated(s *slot) trouble {
	before, ok := g.passedBefore(s)
	if !ok || g.repeat != repeatRefuse {
		return trouble{}
	}
	return trouble{"done", fmt.Sprintf("passed before, on %s", before.at.Local().Format(timeForm)),
		"it has this image already: put it to the good ones"}
}

// passedBefore is when the board in a slot passed with this image, as far as that is known before it is asked.
func (g *rig) passedBefore(s *slot) (deed, bool) {
	if g.source != "usb" {
		return deed{}, false
	}
	return g.past.passOf(s.port.OwnSerial())
}

// timeForm is how days and times are shown.
const timeForm = "2 January 15:04"
