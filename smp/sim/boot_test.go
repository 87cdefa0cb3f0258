package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
)

var (
	noTrailer        = trailer{}
	testTrailer      = trailer{magic: set}
	permanentTrailer = trailer{magic: set, imageOK: set}
	triedTrailer     = trailer{magic: set, copyDone: set}
	goodTrailer      = trailer{magic: set, copyDone: set, imageOK: set}
)

const benchSlot = 16 * Sector

// content is what a test puts into a slot.
type content struct {
	version uint8 // 0: nothing
	body    int   // bytes; 0: 3000
	spoiled bool
	flags   image.Flags
	address uint32
	needs   []image.Dependency
	trailer trailer
}

// bytes is the image.
func (c content) bytes() []byte {
	if c.version == 0 {
		return nil
	}
	if c.body == 0 {
		c.body = 3000
	}
	var protected []byte
	for _, need := range c.needs {
		protected = binary.LittleEndian.AppendUint16(protected, uint16(image.TLVDependency))
		protected = append(protected, 12, 0, need.Image, 0, 0, 0, need.Minimum.Major, 0, 0, 0, 0, 0, 0, 0)
	}
	if protected != nil {
		area := binary.LittleEndian.AppendUint16(nil, protectedTLVMagic)
		protected = append(binary.LittleEndian.AppendUint16(area, uint16(4+len(protected))), protected...)
	}
	h := image.Header{HeaderSize: 32, ImageSize: uint32(c.body), ProtectedSize: uint16(len(protected)),
		Version: image.Version{Major: c.version}, Flags: c.flags, LoadAddr: c.address}
	b := append(h.Append(nil), bytes.Repeat([]byte{c.version}, c.body)...)
	b = append(b, protected...)
	sum := sha256.Sum256(b)
	b = append(b, 0x07, 0x69, 40, 0, 0x10, 0, 32, 0)
	b = append(b, sum[:]...)
	if c.spoiled {
		b[100] ^= 1
	}
	return b
}

// put fills a slot.
func (c content) put(m Mode, slot []byte, secondary bool) {
	at := 0
	if m == SwapOffset && secondary {
		at = Sector
	}
	copy(slot[at:], c.bytes())
	c.trailer.put(slot)
}

// bench is a loader over a flash of pairs of slots.
func bench(r rules, pairs ...[2]content) *loader {
	l := &loader{rules: r, validator: validator{mode: r.mode}, size: benchSlot}
	l.mem = bytes.Repeat([]byte{erased}, 2*len(pairs)*benchSlot)
	for i, p := range pairs {
		for n := range p {
			p[n].put(r.mode, l.slot(i, n), n == 1)
		}
	}
	return l
}

// again is the next run over the same flash.
func (l *loader) again() *loader {
	return &loader{rules: l.rules, validator: l.validator, size: l.size, mem: l.mem}
}

// look says what is in the flash and what runs: "2 1 > 0" is version 2 in slot 0, version 1 in slot 1, and slot 0 runs.
func look(l *loader, o outcome) string {
	text := ""
	for n := range len(l.mem) / l.size {
		slot := l.slot(n/2, n%2)
		h := readHeader(slot)
		if other := readHeader(slot[Sector:]); l.mode == SwapOffset && n%2 == 1 && h.erased() {
			h = other
		}
		switch {
		case h.magic == imageMagic:
			text += fmt.Sprint(h.version.Major, " ")
		case h.erased():
			text += "- "
		default:
			text += "? "
		}
	}
	text += ">"
	for _, run := range o.run {
		text += fmt.Sprint(" ", run)
	}
	if o.stuck != "" {
		text += ", stuck"
	}
	return text
}

func with(c content, t trailer) content { c.trailer = t; return c }

// TestBoot is the part of the bootloader's behaviour that its documentation tells, and what surprised (MCUboot
// docs/design.md, bootutil/src). Two boots one after the other.
func TestBoot(t *testing.T) {
	old, fresh, rotten, nothing := content{version: 1}, content{version: 2}, content{version: 2, spoiled: true},
		content{}
	data := content{version: 2, flags: image.FlagNonBootable}
	ram := func(c content, address uint32) content {
		c.flags, c.address = image.FlagRAMLoad, address
		return c
	}
	fixed := func(c content, slot int) content {
		c.flags, c.address = image.FlagROMFixed, slotAddress(slot, benchSlot)
		return c
	}
	for _, tt := range []struct {
		name        string
		r           rules
		a, b        content
		want, again string
	}{
		{"factory", rules{mode: Swap}, old, nothing, "1 - > 0", "1 - > 0"},
		{"update not selected", rules{mode: Swap}, old, fresh, "1 2 > 0", "1 2 > 0"},
		{"test", rules{mode: Swap}, old, with(fresh, testTrailer), "2 1 > 0", "1 2 > 0"},
		{"permanent", rules{mode: Swap}, old, with(fresh, permanentTrailer), "2 1 > 0", "2 1 > 0"},
		{"revert", rules{mode: Swap}, with(fresh, triedTrailer), old, "1 2 > 0", "1 2 > 0"},
		{"confirmed", rules{mode: Swap}, with(fresh, goodTrailer), old, "2 1 > 0", "2 1 > 0"},
		{"test over an unconfirmed image", rules{mode: Swap}, with(old, triedTrailer), with(fresh, testTrailer),
			"2 1 > 0", "1 2 > 0"},
		{"damaged candidate", rules{mode: Swap}, old, with(rotten, testTrailer), "1 - > 0", "1 - > 0"},
		{"damaged candidate during a trial", rules{mode: Swap}, with(fresh, triedTrailer), with(rotten, testTrailer),
			"2 - > 0", "2 - > 0"},
		{"selected nothing", rules{mode: Swap}, old, with(nothing, testTrailer), "1 - > 0", "1 - > 0"},
		{"selected an image that cannot boot", rules{mode: Swap}, old, with(data, testTrailer), "1 2 > 0", "1 2 > 0"},
		{"damaged fallback", rules{mode: Swap}, with(fresh, triedTrailer), content{version: 1, spoiled: true},
			"2 - > 0", "2 - > 0"},
		{"fallback was erased", rules{mode: Swap}, with(fresh, triedTrailer), nothing, "2 - > 0", "2 - > 0"},
		{"garbage in the trailer of slot 1", rules{mode: Swap}, old, with(fresh, trailer{magic: bad}), "1 2 > 0",
			"1 2 > 0"},
		{"padded factory image that nobody tried", rules{mode: Swap}, with(old, testTrailer), nothing, "1 - > 0",
			"1 - > 0"},
		{"nothing at all", rules{mode: Swap}, nothing, nothing, "- - > -1", "- - > -1"},
		{"damaged primary", rules{mode: Swap}, rotten, old, "2 1 > -1", "2 1 > -1"},
		{"damaged primary is saved by an update", rules{mode: Swap}, content{version: 1, spoiled: true},
			with(fresh, testTrailer), "2 1 > 0", "2 - > 0"},
		{"blank primary is not saved by an update", rules{mode: Swap}, nothing, with(fresh, testTrailer), "- 2 > -1",
			"- 2 > -1"},
		{"downgrade is allowed", rules{mode: Swap}, fresh, with(old, testTrailer), "1 2 > 0", "2 1 > 0"},
		{"downgrade is prevented", rules{Swap, true}, fresh, with(old, testTrailer), "2 - > 0", "2 - > 0"},
		{"a revert is no downgrade", rules{Swap, true}, old, with(fresh, testTrailer), "2 1 > 0", "1 2 > 0"},
		{"same version is no downgrade", rules{Swap, true}, old, with(old, testTrailer), "1 1 > 0", "1 1 > 0"},
		{"TLVs of the primary cut off", rules{mode: Swap}, old, with(fresh, testTrailer), "1 2 > -1, stuck",
			"1 2 > -1, stuck"},

		{"swap with offset", rules{mode: SwapOffset}, old, with(fresh, testTrailer), "2 1 > 0", "1 2 > 0"},
		{"permanent with offset", rules{mode: SwapOffset}, old, with(fresh, permanentTrailer), "2 1 > 0", "2 1 > 0"},

		{"overwrite: test", rules{mode: Overwrite}, old, with(fresh, testTrailer), "2 - > 0", "2 - > 0"},
		{"overwrite: permanent", rules{mode: Overwrite}, old, with(fresh, permanentTrailer), "2 - > 0", "2 - > 0"},
		{"overwrite: flash of a bootloader that swaps", rules{mode: Overwrite}, with(fresh, triedTrailer), old,
			"1 - > 0", "1 - > 0"},
		{"overwrite: damaged candidate", rules{mode: Overwrite}, old, with(rotten, testTrailer), "1 - > 0", "1 - > 0"},
		{"overwrite: downgrade is prevented", rules{Overwrite, true}, fresh, with(old, testTrailer), "2 - > 0",
			"2 - > 0"},
		{"overwrite: blank primary", rules{mode: Overwrite}, nothing, with(fresh, testTrailer), "2 - > 0", "2 - > 0"},

		{"direct: newer in slot 1", rules{mode: DirectXIP}, old, fresh, "1 2 > 1", "1 2 > 1"},
		{"direct: newer in slot 0", rules{mode: DirectXIP}, fresh, old, "2 1 > 0", "2 1 > 0"},
		{"direct: same version", rules{mode: DirectXIP}, old, old, "1 1 > 0", "1 1 > 0"},
		{"direct: only slot 1", rules{mode: DirectXIP}, nothing, old, "- 1 > 1", "- 1 > 1"},
		{"direct: damaged newer", rules{mode: DirectXIP}, old, rotten, "1 - > 0", "1 - > 0"},
		{"direct: damaged primary", rules{mode: DirectXIP}, rotten, old, "- 1 > 1", "- 1 > 1"},
		{"direct: both damaged", rules{mode: DirectXIP}, rotten, rotten, "- - > -1", "- - > -1"},
		{"direct: newer cannot boot", rules{mode: DirectXIP}, old, data, "1 2 > 0", "1 2 > 0"},
		{"direct: newer is for the other slot", rules{mode: DirectXIP}, old, fixed(fresh, 0), "1 2 > 0", "1 2 > 0"},
		{"direct: newer is for this slot", rules{mode: DirectXIP}, old, fixed(fresh, 1), "1 2 > 1", "1 2 > 1"},

		{"direct revert: first try", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(fresh, testTrailer),
			"1 2 > 1", "1 - > 0"},
		{"direct revert: not confirmed", rules{mode: DirectXIPRevert}, with(old, goodTrailer),
			with(fresh, triedTrailer), "1 - > 0", "1 - > 0"},
		{"direct revert: confirmed", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(fresh, goodTrailer),
			"1 2 > 1", "1 2 > 1"},
		{"direct revert: never selected", rules{mode: DirectXIPRevert}, with(old, goodTrailer), fresh, "1 - > 0",
			"1 - > 0"},
		{"direct revert: damaged", rules{mode: DirectXIPRevert}, with(old, goodTrailer), with(rotten, testTrailer),
			"1 - > 0", "1 - > 0"},

		{"ram: newer in slot 1", rules{mode: RAMLoad}, ram(old, ramStart), ram(fresh, ramStart), "1 2 > 1", "1 2 > 1"},
		{"ram: no load address", rules{mode: RAMLoad}, ram(old, ramStart), fresh, "1 - > 0", "1 - > 0"},
		{"ram: below the RAM", rules{mode: RAMLoad}, ram(old, ramStart), ram(fresh, ramStart-1), "1 - > 0", "1 - > 0"},
		{"ram: to the end of the RAM", rules{mode: RAMLoad}, ram(old, ramStart), ram(fresh, ramStart+ramSize-3072),
			"1 2 > 1", "1 2 > 1"},
		{"ram: beyond the RAM", rules{mode: RAMLoad}, ram(old, ramStart), ram(fresh, ramStart+ramSize-3071), "1 - > 0",
			"1 - > 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := bench(tt.r, [2]content{tt.a, tt.b})
			if tt.name == "TLVs of the primary cut off" {
				fill(l.slot(0, 0)[32+3000:][:40], erased)
			}
			got := []string{look(l, l.run())}
			l = l.again()
			got = append(got, look(l, l.run()))
			if diff := cmp.Diff([]string{tt.want, tt.again}, got); diff != "" {
				t.Errorf("two boots differ (-want +got):\n%s%q", diff, l.words)
			}
		})
	}
}

// TestSeveralImages boots two images: they are moved together, reverted together, and only if they fit together.
func TestSeveralImages(t *testing.T) {
	at2 := []image.Dependency{{Image: 1, Minimum: image.Version{Major: 2}}}
	app, radio := content{version: 1}, content{version: 1}
	need, newRadio := content{version: 2, needs: at2}, content{version: 2}
	ram := func(c content, image uint32) content {
		c.flags, c.address = 0x20, ramStart+image<<16
		return c
	}
	for _, tt := range []struct {
		name string
		mode Mode
		a, b [2]content
		want string
	}{
		{"both come together", Swap, [2]content{app, with(need, testTrailer)},
			[2]content{radio, with(newRadio, testTrailer)}, "2 1 2 1 > 0 0"},
		{"the other is missing", Swap, [2]content{app, with(need, testTrailer)}, [2]content{radio, {}},
			"1 2 1 - > 0 0"},
		{"the other is there already", Swap, [2]content{app, with(need, testTrailer)}, [2]content{newRadio, {}},
			"2 1 2 - > 0 0"},
		{"an unmet one stops the rest", Swap,
			[2]content{app, {version: 2, needs: []image.Dependency{{Image: 7}}, trailer: testTrailer}},
			[2]content{radio, with(newRadio, testTrailer)}, "1 2 1 2 > 0 0"},
		{"an image on trial stays because a later one was marked", Swap,
			[2]content{with(newRadio, triedTrailer), app}, [2]content{radio, with(newRadio, testTrailer)},
			"2 1 2 1 > 0 0"},
		{"an image on trial reverts although an earlier one was marked", Swap,
			[2]content{app, with(newRadio, testTrailer)}, [2]content{with(newRadio, triedTrailer), radio},
			"2 1 1 2 > 0 0"},
		{"nothing runs without the second image", Swap, [2]content{app, {}}, [2]content{{}, {}}, "1 - - - > -1 -1"},
		{"overwrite, the other is missing", Overwrite, [2]content{app, with(need, testTrailer)}, [2]content{radio, {}},
			"1 2 1 - > 0 0"},
		{"direct, the other is missing", DirectXIP, [2]content{app, need}, [2]content{radio, {}}, "1 2 1 - > 0 0"},
		{"direct, both come together", DirectXIP, [2]content{app, need}, [2]content{radio, newRadio}, "1 2 1 2 > 1 1"},
		{"RAM, the other is missing", RAMLoad, [2]content{ram(app, 0), ram(need, 0)}, [2]content{ram(radio, 1), {}},
			"1 2 1 - > 0 0"},
		{"RAM, both to the same place", RAMLoad, [2]content{ram(app, 0), {}},
			[2]content{ram(radio, 0), ram(newRadio, 1)}, "1 - 1 2 > 0 1"},
		{"RAM, the second has no other place", RAMLoad, [2]content{ram(app, 0), {}}, [2]content{ram(radio, 0), {}},
			"1 - - - > -1 -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := bench(rules{mode: tt.mode}, tt.a, tt.b)
			if got := look(l, l.run()); got != tt.want {
				t.Errorf("%s, want %s\n%q", got, tt.want, l.words)
			}
		})
	}
}

// TestPowerCuts cuts the power before every flash operation of every kind of move, and again in the boot after that:
// what runs in the end is what runs without a cut, and the trailer says the same of it. A revert with an offset has a
// moment where MCUboot does not survive the second cut: TestRevertWithOffsetCutTwice.
func TestPowerCuts(t *testing.T) {
	old, fresh := content{version: 1, body: 6000}, content{version: 2, body: 9000}
	for _, mode := range []Mode{Swap, SwapOffset, Overwrite} {
		for _, tt := range []struct {
			name string
			a, b content
		}{
			{"test", old, with(fresh, testTrailer)},
			{"permanent", old, with(fresh, permanentTrailer)},
			{"revert", old, with(fresh, testTrailer)},
			{"to a smaller image", fresh, with(old, testTrailer)},
		} {
			t.Run(fmt.Sprint(mode, " ", tt.name), func(t *testing.T) {
				start := bench(rules{mode: mode}, [2]content{tt.a, tt.b})
				if tt.name == "revert" {
					start.run()
				}
				whole := start.again()
				whole.mem = bytes.Clone(start.mem)
				out := whole.run()
				if out.ops < 10 && !(mode == Overwrite && tt.name == "revert") {
					t.Fatalf("%d flash operations", out.ops)
				}
				for cut := 1; cut <= out.ops; cut++ {
					l := start.again()
					l.mem = bytes.Clone(start.mem)
					l.cut = cut
					got := l.run()
					for _, next := range []int{1 + cut/3, 0} {
						if !got.cut {
							break // it came to the end
						}
						if mode == SwapOffset && tt.name == "revert" {
							next = 0
						}
						l = l.again()
						l.cut = next
						got = l.run()
					}
					if got.run[0] != out.run[0] || !bytes.Equal(l.slot(0, 0)[:3*Sector], whole.slot(0, 0)[:3*Sector]) ||
						readTrailer(l.slot(0, 0)) != readTrailer(whole.slot(0, 0)) {
						t.Errorf("cut before operation %d of %d: %s %+v, without a cut %s %+v", cut, out.ops,
							look(l, got), readTrailer(l.slot(0, 0)), look(whole, out), readTrailer(whole.slot(0, 0)))
					}
				}
			})
		}
	}
}

// TestRevertWithOffsetCutTwice is a flaw of MCUboot: a run that resumes a revert within its first sector notes once
// more, in the secondary slot, that a revert is about to begin. A cut right then makes the next boot begin it anew,
// with images that are half moved already.
func TestRevertWithOffsetCutTwice(t *testing.T) {
	l := bench(rules{mode: SwapOffset},
		[2]content{{version: 1, body: 6000}, {version: 2, body: 9000, trailer: testTrailer}})
	l.run()
	stuck := 0
	start := bytes.Clone(l.mem)
	for first := 1; first <= 52; first++ {
		for second := 1; second <= 12; second++ {
			copy(l.mem, start)
			for _, cut := range []int{first, second} {
				l = l.again()
				l.cut = cut
				l.run()
			}
			l = l.again()
			if out := l.run(); out.stuck != "" {
				stuck++
				const want = "E: bootloader stops: the size of an image to swap cannot be read"
				if l.words[len(l.words)-1] != want {
					t.Errorf("last words %q, want %q", l.words[len(l.words)-1], want)
				}
			}
		}
	}
	if stuck != 5 {
		t.Errorf("%d of %d pairs of cuts leave a bootloader that stops, want 5 as with MCUboot", stuck, 52*12)
	}
}

// TestOneSectorWithOffsetCut is another flaw of MCUboot: of images that fit one sector, both are in the secondary slot
// between erasing the primary and writing its first bytes. A run after a cut just there looks for one of them in the
// primary slot, finds none, and gives up for good.
func TestOneSectorWithOffsetCut(t *testing.T) {
	dead := 0
	for cut := 1; cut <= 19; cut++ {
		l := bench(rules{mode: SwapOffset}, [2]content{{version: 1}, {version: 2, trailer: testTrailer}})
		l.cut = cut
		l.run()
		l = l.again()
		if out := l.run(); out.run[0] < 0 {
			dead++
		}
	}
	if dead != 1 {
		t.Errorf("%d of 19 cuts leave a board that does not boot, want 1 as with MCUboot", dead)
	}
}

// TestBootOfGarbage boots flash that nobody would write. It must come to an end.
func TestBootOfGarbage(t *testing.T) {
	for n := range 3000 {
		mode := Mode(n % len(modeNames))
		l := bench(rules{mode: mode}, [2]content{{version: 1}, {version: 2}})
		r := uint64(n)*0x9e3779b97f4a7c15 + 1
		for range 1 + n%6 {
			r ^= r << 13
			r ^= r >> 7
			r ^= r << 17
			slot := l.slot(0, int(r>>8)%2)
			at := int(r>>16) % 40
			if r&1 == 0 {
				at = len(slot) - 1 - int(r>>16)%trailerSize(mode, len(slot))
			}
			slot[at] = byte(r >> 40)
			if r&6 == 0 {
				trailer{magic: set}.put(l.slot(0, 0))
			}
		}
		for range 2 {
			out := l.run()
			if out.run[0] >= 0 && !l.validator.runs(out.run[0], l.slot(0, out.run[0]), 0) {
				t.Fatalf("case %d, %v: runs an image that is not valid", n, mode)
			}
			l = l.again()
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
