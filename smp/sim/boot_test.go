package sim

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
)

var (
	older = image.Version{Major: 1}
	newer = image.Version{Major: 2}

	noTrailer        = trailer{}
	testTrailer      = trailer{magic: set}
	permanentTrailer = trailer{magic: set, imageOK: set}
	triedTrailer     = trailer{magic: set, copyDone: set}
	goodTrailer      = trailer{magic: set, copyDone: set, imageOK: set}
)

// TestDecide is the part of the bootloader's behaviour that its documentation tells (MCUboot docs/design.md).
func TestDecide(t *testing.T) {
	old := candidate{content: valid, version: older, trailer: noTrailer}
	with := func(c candidate, tr trailer) candidate { c.trailer = tr; return c }
	fresh := candidate{content: valid, version: newer}
	rotten := candidate{content: invalid, version: newer}
	nothing := candidate{}
	refused := plan{run: 0, erase: [2]bool{false, true}, marks: [2]trailer{{imageOK: set, copyDone: set}}}
	swapped := func(tr trailer, info byte) [2]trailer { tr.swapInfo = info; return [2]trailer{tr} }

	for _, tt := range []struct {
		name string
		r    rules
		a, b candidate
		want plan
	}{
		{"factory", rules{mode: Swap}, old, nothing, plan{run: 0}},
		{"update not selected", rules{mode: Swap}, old, fresh, plan{run: 0}},
		{"test", rules{mode: Swap}, old, with(fresh, testTrailer), plan{run: 0, move: exchange, marks: swapped(triedTrailer, 2)}},
		{"permanent", rules{mode: Swap}, old, with(fresh, permanentTrailer), plan{run: 0, move: exchange, marks: swapped(goodTrailer, 3)}},
		{"revert", rules{mode: Swap}, with(fresh, triedTrailer), old, plan{run: 0, move: exchange, marks: swapped(goodTrailer, 4)}},
		{"confirmed", rules{mode: Swap}, with(fresh, goodTrailer), old, plan{run: 0}},
		{"test over an unconfirmed image", rules{mode: Swap}, with(old, triedTrailer), with(fresh, testTrailer),
			plan{run: 0, move: exchange, marks: swapped(triedTrailer, 2)}},
		{"damaged candidate", rules{mode: Swap}, old, with(rotten, testTrailer), refused},
		{"damaged permanent candidate", rules{mode: Swap}, old, with(rotten, permanentTrailer), refused},
		{"selected nothing", rules{mode: Swap}, old, with(nothing, testTrailer), refused},
		{"damaged fallback", rules{mode: Swap}, with(fresh, triedTrailer), rotten, refused},
		{"fallback was erased", rules{mode: Swap}, with(fresh, triedTrailer), nothing, refused},
		{"garbage in the trailer of slot 1", rules{mode: Swap}, old, with(fresh, trailer{magic: bad}), plan{run: 0}},
		{"image_ok of slot 1 is garbage", rules{mode: Swap}, old, with(fresh, trailer{magic: set, imageOK: bad}), plan{run: 0}},
		{"padded factory image that nobody tried", rules{mode: Swap}, with(old, testTrailer), nothing, plan{run: 0}},
		{"nothing at all", rules{mode: Swap}, nothing, nothing, plan{run: -1}},
		{"damaged primary", rules{mode: Swap}, rotten, fresh, plan{run: -1}},
		{"damaged primary is saved by an update", rules{mode: Swap}, rotten, with(fresh, testTrailer),
			plan{run: 0, move: exchange, marks: swapped(triedTrailer, 2)}},
		{"downgrade is allowed", rules{mode: Swap}, fresh, with(old, testTrailer),
			plan{run: 0, move: exchange, marks: swapped(triedTrailer, 2)}},
		{"downgrade is prevented", rules{Swap, true}, fresh, with(old, testTrailer), refused},
		{"same version is no downgrade", rules{Swap, true}, old, with(old, testTrailer),
			plan{run: 0, move: exchange, marks: swapped(triedTrailer, 2)}},

		{"swap with offset", rules{mode: SwapOffset}, old, with(fresh, testTrailer), plan{run: 0, move: exchangeIn, marks: swapped(triedTrailer, 2)}},
		{"revert with offset", rules{mode: SwapOffset}, with(fresh, triedTrailer), old, plan{run: 0, move: exchangeOut, marks: swapped(goodTrailer, 4)}},

		{"overwrite: test", rules{mode: Overwrite}, old, with(fresh, testTrailer), plan{run: 0, move: copyOver}},
		{"overwrite: permanent", rules{mode: Overwrite}, old, with(fresh, permanentTrailer), plan{run: 0, move: copyOver}},
		{"overwrite: no revert", rules{mode: Overwrite}, with(fresh, triedTrailer), old, plan{run: 0}},
		{"overwrite: damaged candidate", rules{mode: Overwrite}, old, with(rotten, testTrailer), refused},

		{"direct: newer in slot 1", rules{mode: DirectXIP}, old, fresh, plan{run: 1}},
		{"direct: newer in slot 0", rules{mode: DirectXIP}, fresh, old, plan{run: 0}},
		{"direct: same version", rules{mode: DirectXIP}, old, old, plan{run: 0}},
		{"direct: only slot 1", rules{mode: DirectXIP}, nothing, old, plan{run: 1}},
		{"direct: damaged newer", rules{mode: DirectXIP}, old, rotten, plan{run: 0, erase: [2]bool{false, true}}},
		{"direct: damaged primary", rules{mode: DirectXIP}, rotten, old, plan{run: 1, erase: [2]bool{true, false}}},
		{"direct: both damaged", rules{mode: DirectXIP}, rotten, rotten, plan{run: -1, erase: [2]bool{true, true}}},
		{"ram: newer in slot 1", rules{mode: RAMLoad}, old, fresh, plan{run: 1}},

		{"direct revert: first try", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(fresh, testTrailer),
			plan{run: 1, marks: [2]trailer{{}, {copyDone: set}}}},
		{"direct revert: not confirmed", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(fresh, triedTrailer),
			plan{run: 0, erase: [2]bool{false, true}}},
		{"direct revert: confirmed", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(fresh, goodTrailer), plan{run: 1}},
		{"direct revert: never selected", rules{mode: DirectXIPRevert}, with(old, goodTrailer), fresh,
			plan{run: 0, erase: [2]bool{false, true}}},
		{"direct revert: damaged", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(rotten, testTrailer),
			plan{run: 0, erase: [2]bool{false, true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.r.decide(tt.a, tt.b)
			if diff := cmp.Diff(fmt.Sprintf("%+v", tt.want), fmt.Sprintf("%+v", got)); diff != "" {
				t.Errorf("decide(%+v, %+v) differs (-want +got):\n%s", tt.a, tt.b, diff)
			}
		})
	}
}

// every calls f with every combination of what the two slots can hold.
func every(f func(r rules, a, b candidate)) {
	marks := []mark{unset, set, bad}
	var all []candidate
	for _, c := range []content{empty, invalid, valid} {
		for _, v := range []image.Version{older, newer} {
			for i := range 27 {
				tr := trailer{magic: marks[i%3], imageOK: marks[i/3%3], copyDone: marks[i/9]}
				all = append(all, candidate{content: c, version: v, trailer: tr})
			}
		}
	}
	for m := range modeNames {
		for _, noDowngrade := range []bool{false, true} {
			for _, a := range all {
				for _, b := range all {
					f(rules{Mode(m), noDowngrade}, a, b)
				}
			}
		}
	}
}

// TestDecideAlways checks what must hold in every state, however odd.
func TestDecideAlways(t *testing.T) {
	n := 0
	every(func(r rules, a, b candidate) {
		n++
		p := r.decide(a, b)
		if why := broken(r, a, b, p); why != "" {
			t.Errorf("%v: decide(%+v, %+v) = %+v: %s", r, a, b, p, why)
		}
	})
	if want := 6 * 2 * 162 * 162; n != want {
		t.Errorf("tried %d states, want %d", n, want)
	}
}

// broken says which promise of the bootloader a plan breaks.
func broken(r rules, a, b candidate, p plan) string {
	after := [2]candidate{a, b}
	for i := range after {
		if p.erase[i] {
			after[i] = candidate{}
		}
	}
	switch p.move {
	case exchange, exchangeIn, exchangeOut:
		after = [2]candidate{b, a}
	case copyOver:
		after = [2]candidate{b, {}}
	}
	wanted := b.trailer.magic == set && b.trailer.imageOK != bad
	switch {
	case p.run >= 0 && after[p.run].content != valid:
		return "runs an image that is not valid"
	case p.run < 0 && r.mode.swaps() && after[0].content == valid:
		return "does not run a valid primary image"
	case p.run < 0 && (r.mode == DirectXIP || r.mode == RAMLoad) && (a.content == valid || b.content == valid):
		return "does not run the valid image"
	case r.mode.swaps() && p.erase[0]:
		return "erases the primary slot"
	case r.mode.swaps() && p.erase[1] && p.move != keep:
		return "erases what it moves"
	case r.mode.swaps() && wanted && b.content == valid && !r.noDowngrade && p.move == keep:
		return "does not move a valid image that was selected"
	case r.mode == Overwrite && !wanted && p.move != keep:
		return "overwrites without being asked"
	case r.mode.swaps() && r.noDowngrade && p.move != keep && a.content != empty && b.version == older && a.version == newer:
		return "installs an older image"
	case !r.mode.swaps() && p.move != keep:
		return "moves images that run in place"
	}
	return ""
}

// TestBootSequences boots flash with real bytes several times and reads what runs.
func TestBootSequences(t *testing.T) {
	const size = 8 * Sector
	for _, mode := range []Mode{Swap, SwapOffset} {
		for _, tt := range []struct {
			name    string
			select_ trailer
			confirm bool // after the first boot
			want    []string
		}{
			{"test", testTrailer, false, []string{"new", "old", "old"}},
			{"test and confirm", testTrailer, true, []string{"new", "new", "new"}},
			{"permanent", permanentTrailer, false, []string{"new", "new", "new"}},
		} {
			t.Run(fmt.Sprint(mode, " ", tt.name), func(t *testing.T) {
				a, b := bytes.Repeat([]byte{erased}, size), bytes.Repeat([]byte{erased}, size)
				copy(a, "old")
				at := 0
				if mode == SwapOffset {
					at = Sector
				}
				copy(b[at:], "new")
				tt.select_.put(b)
				var got []string
				for boot := range tt.want {
					p := rules{mode: mode}.decide(candidate{content: valid, trailer: readTrailer(a)}, candidate{content: valid, trailer: readTrailer(b)})
					p.apply(a, b)
					got = append(got, string(a[:3]))
					if boot == 0 && tt.confirm {
						trailer{imageOK: set}.put(a)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("images that ran differ (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestDependencies(t *testing.T) {
	app := candidate{content: valid, version: older}
	need := candidate{content: valid, version: newer, trailer: testTrailer, needs: []image.Dependency{{Image: 1, Minimum: newer}}}
	radio := candidate{content: valid, version: older}
	newRadio := candidate{content: valid, version: newer, trailer: testTrailer}
	both := func(p []plan) [2]move { return [2]move{p[0].move, p[1].move} }
	r := rules{mode: Swap}
	for _, tt := range []struct {
		name  string
		pairs [][2]candidate
		want  [2]move
	}{
		{"both come together", [][2]candidate{{app, need}, {radio, newRadio}}, [2]move{exchange, exchange}},
		{"the other is missing", [][2]candidate{{app, need}, {radio, {}}}, [2]move{keep, keep}},
		{"the other is there already", [][2]candidate{{app, need}, {candidate{content: valid, version: newer}, {}}}, [2]move{exchange, keep}},
		{"an unmet one stops the rest", [][2]candidate{{app, {content: valid, trailer: testTrailer, needs: []image.Dependency{{Image: 7}}}}, {radio, newRadio}}, [2]move{keep, keep}},
	} {
		if got := both(r.decideAll(tt.pairs)); got != tt.want {
			t.Errorf("%s: moves %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFlashWritesOnlyClearBits(t *testing.T) {
	f := &flash{slotSize: Sector, mem: bytes.Repeat([]byte{erased}, 2*Sector)}
	for _, b := range []byte{0xf0, 0x3c} {
		if err := f.write(1, 10, []byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.slot(1)[10]; got != 0x30 {
		t.Errorf("f0 and then 3c written to the same byte give %#x, want 0x30", got)
	}
	if err := f.erase(1, 0, Sector); err != nil || f.slot(1)[10] != erased {
		t.Errorf("after an erase: %#x, %v", f.slot(1)[10], err)
	}
	for _, off := range []int{-1, Sector} {
		if f.write(1, off, []byte{0}) == nil {
			t.Errorf("a write at %d, outside the slot, worked", off)
		}
	}
}

func TestTrailerBytes(t *testing.T) {
	slot := bytes.Repeat([]byte{erased}, 3*Sector)
	if got := readTrailer(slot); got != noTrailer {
		t.Errorf("readTrailer of erased flash = %+v, want nothing set", got)
	}
	trailer{magic: set, imageOK: set, copyDone: set, swapInfo: 3}.put(slot)
	// MCUboot docs/design.md, "Image trailer", for a write alignment of 8.
	want := "03ffffffffffffff01ffffffffffffff01ffffffffffffff77c295f360d2ef7f3552500f2cb67980"
	if got := fmt.Sprintf("%x", slot[len(slot)-40:]); got != want {
		t.Errorf("trailer = %s, want %s", got, want)
	}
	if got := readTrailer(slot); got != goodTrailer {
		t.Errorf("readTrailer = %+v, want %+v", got, goodTrailer)
	}
	slot[len(slot)-1] ^= 1
	slot[len(slot)-24] = 2
	if got, want := readTrailer(slot), (trailer{magic: bad, imageOK: bad, copyDone: set}); got != want {
		t.Errorf("readTrailer of damage = %+v, want %+v", got, want)
	}
}
