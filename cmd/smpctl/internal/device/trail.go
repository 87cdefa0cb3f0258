package device

import (
	"slices"
	"time"

	"github.com/smpctl/smpctl/transport"
)

const (
	// identityWait is how long a port with another identity is left alone: MCUboot takes any packet in its wait window
	// as a wish for serial recovery.
	identityWait = 1500 * time.Millisecond
	// portGrace is how long a device that is back may be there without the port that it is known by: drivers bring the
	// ports of one device one after the other.
	portGrace = 5 * time.Second
	// textGrace is the same for whoever only reads, and does not want to miss the beginning.
	textGrace = time.Second
	// portSilence is how long a port may be silent before another one of the device is tried, where it may be that one.
	portSilence = 5 * time.Second
	// maxHomes bounds what is remembered of a device that shows ever new identities.
	maxHomes = 16
)

// trail follows one device over its resets: which of the ports that are there to take, and when to leave one for
// another. It sees nothing by itself; time and ports come from whoever looks.
//
// A device with the identity of before (vendor, product, its text, number of ports) keeps the interface that it is
// known by: another one may lead to another board. With another identity its interfaces may be others too, as a
// bootloader's are, and where there are several they are tried in turn until one answers.
type trail struct {
	first  transport.Port // whose device it is
	shared string         // serial number that is not this device's alone
	fixed  bool           // the user named the interface
	awaits identity       // that may be talked to at once
	reads  bool           // nothing is sent: silence proves nothing
	homes  []home         // the first one, then the others as they were found

	face     face           // as the device showed itself last
	returned time.Time      // since when, without a break; zero: it is away
	silent   map[string]int // how often a port was silent since then, by name
}

// face is how a USB device shows itself.
type face struct {
	vid, pid transport.USBID
	product  string
}

func faceOf(p transport.Port) face { return face{p.VID, p.PID, p.Product} }

// home is the port of a device that is known to be the right one, while the device shows this face.
type home struct {
	face
	number int // of the interface
	rank   int // of the port among those of the interface: some bridges have several
	ports  int // of the device
}

// port is the port among those of the device.
func (h home) port(mine []transport.Port) (transport.Port, bool) {
	same := ofInterface(mine, h.number)
	if h.rank >= len(same) {
		return transport.Port{}, false
	}
	return same[h.rank], true
}

func ofInterface(ports []transport.Port, number int) []transport.Port {
	return slices.DeleteFunc(slices.Clone(ports), func(p transport.Port) bool { return p.Interface != number })
}

func named(name string) func(transport.Port) bool {
	return func(p transport.Port) bool { return p.Name == name }
}

// begin follows the device of a port from now on.
func (t *trail) begin(p transport.Port, present []transport.Port) {
	if slices.ContainsFunc(present, func(q transport.Port) bool {
		return q.Serial == p.Serial && q.Location != p.Location && q.Location != "" && p.Location != ""
	}) {
		t.shared = p.Serial
	}
	t.homes = nil
	t.rebase(p)
	t.settle(p, present)
}

// rebase compares with this port of the device from now on.
func (t *trail) rebase(p transport.Port) {
	if t.first = p; p.Serial == t.shared {
		t.first.Serial = "" // it tells nothing
	}
	t.returned = time.Time{}
}

// settle notes that a port is the right one.
func (t *trail) settle(p transport.Port, present []transport.Port) {
	mine := transport.Same(t.first, present)
	h := home{face: faceOf(p), number: p.Interface, ports: max(len(mine), 1)}
	h.rank = max(0, slices.IndexFunc(ofInterface(mine, p.Interface), named(p.Name)))
	t.silent = nil
	if i := slices.IndexFunc(t.homes, func(o home) bool { return o.face == h.face && o.ports == h.ports }); i >= 0 {
		t.homes[i] = h
	} else if len(t.homes) < maxHomes {
		t.homes = append(t.homes, h)
	}
}

// next is the port to take now; the error says why there is none yet.
func (t *trail) next(now time.Time, present []transport.Port) (transport.Port, error) {
	ports, err := t.eligible(now, present)
	if err != nil {
		return transport.Port{}, err
	}
	return slices.MinFunc(ports, func(a, b transport.Port) int { // the first of those that were silent least often
		return t.silent[a.Name] - t.silent[b.Name]
	}), nil
}

// verdict is what to do with a port over which nothing has answered.
type verdict int

const (
	stay  verdict = iota // and look again
	leave                // another port is the right one, or may be
	sure                 // it is the right one
)

// judge looks at the port of the device that was taken some time ago.
func (t *trail) judge(now time.Time, present []transport.Port, taken transport.Port, since time.Time) verdict {
	ports, err := t.eligible(now, present)
	switch {
	case err != nil: // it is going away, and the connection will end
		return stay
	case !slices.ContainsFunc(ports, named(taken.Name)):
		return leave
	case t.reads && len(ports) == 1:
		return sure
	case t.reads || len(ports) == 1 || now.Sub(since) < portSilence:
		return stay
	}
	if t.silent == nil {
		t.silent = map[string]int{}
	}
	t.silent[taken.Name]++
	return leave
}

// eligible are the ports that may be the right one now, the likeliest first.
func (t *trail) eligible(now time.Time, present []transport.Port) ([]transport.Port, error) {
	mine := transport.Same(t.first, present)
	if len(mine) == 0 {
		t.returned, t.silent = time.Time{}, nil
		return nil, errAway
	}
	if f := faceOf(mine[0]); t.returned.IsZero() || f != t.face {
		t.face, t.returned, t.silent = f, now, nil
	}
	here := now.Sub(t.returned)
	if !t.awaits.fits(t.first, mine[0]) && here < identityWait {
		return nil, errOtherIdentity
	}
	return t.byHome(here, mine)
}

// byHome goes by what is known of the device while it shows this face.
func (t *trail) byHome(here time.Duration, mine []transport.Port) ([]transport.Port, error) {
	h, ok := t.home(len(mine))
	if !ok {
		return inTurn(mine, t.homes[0]), nil
	}
	known, there := h.port(mine)
	switch {
	case there && len(mine) <= h.ports:
		return []transport.Port{known}, nil
	case !there && here < t.grace():
		return nil, &lackingError{h.number, mine}
	case !there && t.fixed && len(mine) == h.ports && len(mine) > 1:
		return nil, &lackingError{h.number, mine}
	}
	return inTurn(mine, h), nil
}

// home is what is known of the device with its present face and so many ports. For want of that it is one with more
// ports, of which some may be still to come, or else with fewer.
func (t *trail) home(ports int) (best home, ok bool) {
	for _, h := range t.homes {
		switch {
		case h.face != t.face:
		case h.ports == ports:
			return h, true
		case !ok || best.ports < ports && h.ports > ports:
			best, ok = h, true
		}
	}
	return best, ok
}

// grace is how long the port that is known may come later than others.
func (t *trail) grace() time.Duration {
	switch {
	case t.reads:
		return textGrace
	case t.awaits == AnyIdentity: // a wait window is over before that
		return 0
	}
	return portGrace
}

// inTurn are all ports, that of before first.
func inTurn(mine []transport.Port, before home) []transport.Port {
	known, there := before.port(mine)
	if !there {
		return mine
	}
	return append([]transport.Port{known}, slices.DeleteFunc(slices.Clone(mine), named(known.Name))...)
}
