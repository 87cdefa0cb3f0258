package dfu_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// The axes of the crossed test whose values are words.
type (
	linkKind   string
	keyKind    string
	imagesKind string
	checkKind  string
	beforeKind string
	faultWord  string
	serverKind string
)

// crossing is one combination: a device, what was done to it before, an update, and what goes wrong meanwhile.
type crossing struct {
	boot   sim.Mode
	link   linkKind
	window time.Duration // the bootloader's wait window
	swap   time.Duration // that moving an image takes
	start  time.Duration // that the application takes to start
	key    keyKind
	images imagesKind
	mode   dfu.Mode
	force  bool
	check  checkKind
	before beforeKind
	partly bool // only the first target was prepared like that
	starts bool // whoever updates it knows that it may have been powered up a moment ago
	server serverKind
	fault  faultWord
	nth    int  // request or answer of its kind that the fault strikes
	after  bool // it strikes the answer, once the device has done what it was asked
	moment float64
}

var (
	linkKinds = []linkKind{"usb", "usb-console-first", "uart", "uart-buffers", "usb-raw", "uart-raw"}
	keyKinds  = []keyKind{"none", "right", "right", "wrong"}
	imageSets = []imagesKind{"one", "one", "second", "network-core", "network-core-alone", "package"}
	modes     = []dfu.Mode{dfu.ConfirmAfter, dfu.ConfirmAfter, dfu.Test, dfu.Permanent, dfu.UploadOnly}
	windows   = []time.Duration{0, 300 * time.Millisecond, 3 * time.Second, longerThanSwap}
	swaps     = []time.Duration{time.Second, 20 * time.Second}
	starts    = []time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 4 * time.Second}

	checkKinds = []checkKind{"none", "none", "passes", "fails", "resets", "resets-late", "enters-bootloader",
		"confirms", "erases", "marks-other"}

	beforeKinds = []beforeKind{"nothing", "nothing", "part", "whole", "marked-test", "marked-permanent", "on-trial",
		"runs",
		"other-uploaded", "other-once", "other-for-good", "runs-other-once", "runs-other-for-good", "other-on-trial",
		"in-bootloader", "just-powered", "just-reset"}

	serverKinds = []serverKind{"normal", "normal", "frugal", "legacy", "no-bootloader-info", "no-slot-info",
		"no-params", "bare", "direct-upload", "no-downgrade", "lower", "lower-no-downgrade", "no-recovery"}

	faults = []faultWord{"none", "none", "none", "lost-reset", "lost-mark", "lost-confirm", "lost-any", "lost-any",
		"dies-upload", "dies-mark", "dies-reset", "dies-swapping", "dies-window", "dies-trial", "dies-check",
		"dies-confirm", "dies-any"}
)

// longerThanSwap stands for a window that is still open when the swap would be long over.
const longerThanSwap = -1

// draw makes the combination of a seed. Every other one is a sound device with a file that fits, which must succeed.
func draw(seed int) crossing {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x5eed))
	for {
		c := drawAny(rng)
		if seed%2 == 0 || c.wrongFile()+c.wrongCheck()+c.otherStarts() == "" {
			return c
		}
	}
}

func drawAny(rng *rand.Rand) crossing {
	c := crossing{
		boot: pick(rng, bootModes()), link: pick(rng, linkKinds), window: pick(rng, windows), swap: pick(rng, swaps),
		start: pick(rng, starts), key: pick(rng, keyKinds), images: pick(rng, imageSets), mode: pick(rng, modes),
		force: rng.IntN(5) == 0, check: pick(rng, checkKinds), before: pick(rng, beforeKinds), partly: rng.IntN(3) == 0,
		server: pick(rng, serverKinds), fault: pick(rng, faults), after: rng.IntN(2) == 0, moment: rng.Float64(),
	}
	c.nth = 1 + rng.IntN(3)*rng.IntN(2)
	if strings.HasSuffix(string(c.fault), "-any") {
		c.nth = 1 + rng.IntN(40)
	}
	c.starts = rng.IntN(2) == 0
	return c.sane()
}

// sane takes out what contradicts itself.
func (c crossing) sane() crossing {
	if c.window == longerThanSwap {
		c.window = c.swap + 5*time.Second
	}
	if c.server == "no-recovery" {
		c.window = 0
	}
	if c.mode == dfu.UploadOnly {
		c.check = "none"
	}
	if c.newest() || c.boot == sim.DirectXIPRevert { // a network core is handed its update over from slot to slot
		switch c.images {
		case "network-core":
			c.images = "package"
		case "network-core-alone":
			c.images = "second"
		}
	}
	c.partly = c.partly && len(c.numbers()) > 1
	c.starts = c.starts && c.begins()
	return c
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// bootModes are all that the virtual device has.
func bootModes() []sim.Mode {
	var all []sim.Mode
	for m := sim.Mode(0); ; m++ {
		if _, err := sim.ParseMode(m.String()); err != nil {
			return all
		}
		all = append(all, m)
	}
}

// String is the whole combination on one line.
func (c crossing) String() string {
	s := fmt.Sprintf("boot=%s link=%s window=%v swap=%v start=%v key=%s images=%s mode=%s check=%s before=%s "+
		"server=%s fault=%s",
		c.boot, c.link, c.window, c.swap, c.start, c.key, c.images, c.mode, c.check, c.before, c.server, c.fault)
	if c.fault != "none" {
		s += fmt.Sprintf(":%d moment=%.2f", c.nth, c.moment)
		if c.after {
			s += " after"
		}
	}
	if c.partly {
		s += " partly"
	}
	if c.starts {
		s += " starts"
	}
	if c.force {
		s += " force"
	}
	return s
}

// reverts reports whether the bootloader has trials.
func (c crossing) reverts() bool {
	switch c.boot {
	case sim.Overwrite, sim.DirectXIP, sim.RAMLoad:
		return false
	}
	return true
}

// newest reports whether the bootloader starts the highest version, marked or not.
func (c crossing) newest() bool { return c.boot == sim.DirectXIP || c.boot == sim.RAMLoad }

// dies reports whether the device restarts by itself.
func (c crossing) dies() bool { return strings.HasPrefix(string(c.fault), "dies-") }

// begins reports whether the device starts when the update begins: with the reset of an update that was interrupted, it
// has an image to move first.
func (c crossing) begins() bool { return c.before == "just-powered" || c.before == "just-reset" }

// raw reports whether there is no console framing, neither in the application nor in the bootloader.
func (c crossing) raw() bool { return c.link == "usb-raw" || c.link == "uart-raw" }

// usb reports whether the port ends with each reset.
func (c crossing) usb() bool { return strings.HasPrefix(string(c.link), "usb") }

// lower reports whether the targets have a lower version than what runs.
func (c crossing) lower() bool { return c.server == "lower" || c.server == "lower-no-downgrade" }

// blind reports whether a target is an image of which the device never lists what runs.
func (c crossing) blind() bool { return c.images == "network-core" || c.images == "network-core-alone" }
