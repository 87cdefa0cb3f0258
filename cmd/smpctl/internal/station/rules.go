package station

import (
	"regexp"
	"time"

	"github.com/smpctl/smpctl/transport"
)

// What begins the work with a board.
const (
	startPlug   = "plug"
	startScan   = "scan"
	startButton = "button"
)

// What is done with a board that passed before with the same image.
const (
	repeatRefuse = "refuse"
	repeatWarn   = "warn"
	repeatAllow  = "allow"
)

// rules are what the file of a station says that decisions depend on.
type rules struct {
	match     transport.Address
	slots     []place        // in the order of the page; none: each location is a slot
	start     string         // startPlug, startScan or startButton
	label     *regexp.Regexp // nil: any
	source    string         // what names a board, as --id takes it
	repeat    string         // repeatRefuse, repeatWarn or repeatAllow
	stopAfter int            // failures in a row; 0: never
	quota     int            // passes; 0: any number
	jobs      int            // boards at a time
}

// place is a slot of the fixture.
type place struct{ name, location string }

// Times of the rig.
const (
	// settleTime is how long a board is in its slot before it is touched: contacts bounce, and whoever plugs it in has
	// not let go of it.
	settleTime = 700 * time.Millisecond
	// foreignTime is the same for what does not look like a board of ours: a board comes up with its bootloader's
	// identity first, and the ports of one device come one after the other.
	foreignTime = 3 * time.Second
	// pulledTime is how long a board has to be away to count as pulled out. Boards reset by themselves, some of them
	// again and again, and are back sooner; nobody changes a board and waits for the screen faster.
	pulledTime = 3 * time.Second
	// lateTime is the same for one that was away already when its work ended well: it may be in a reset that a program
	// of the user made. One that failed may come back at any time.
	lateTime = 10 * time.Second
	// blindTime is after which a look at the ports is too old to begin anything: a computer takes a moment to list them,
	// and one whose hub hangs may take for ever.
	blindTime = 5 * time.Second
	// labelTime is how long a label waits for its board. Whoever scans and goes away forgets which board it was for.
	labelTime = 2 * time.Minute
	// sayTime is how long a sentence stays that nobody has to acknowledge.
	sayTime = 15 * time.Second
)
