package sim

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/smpctl/smpctl/smp"
)

// board is a device that a history happens to.
type board struct {
	t     testing.TB
	d     *Device
	link  *Link
	setup string
	stock recordedStock
	seq   uint8

	// ask, if set, is asked for MCUboot's answer to every boot.
	ask func(before []byte, cut int, have string, after []byte) (dead bool)
}

func newBoard(t testing.TB, mode, setup string, stock recordedStock) *board {
	t.Helper()
	b := &board{t: t, setup: setup, stock: stock}
	o := Options{Mode: recordedModes[mode], SlotSize: recordedSlot, ResetDelay: -1, BootTime: -1, SwapTime: -1,
		BufSize: 65535, BufCount: 8, NoDowngrade: setup == "older", NoGroups: []smp.Group{smp.GroupFS}, Images: 1}
	if setup == "two" {
		o.Images = 2
	}
	if setup == "signed" {
		key, err := x509.ParsePKIXPublicKey(stock.Key)
		if err != nil {
			t.Fatal(err)
		}
		o.Key = key
	}
	b.d = &Device{o: o}
	o.Factory = stock.Images[b.name("v1", 0)]
	d, err := NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	b.d, b.link = d, d.Link()
	d.validator.trusted = nil // MCUboot trusts nobody
	t.Cleanup(func() {
		b.link.Close()
		d.Close()
	})
	return b
}

// name is the full name of an image of the stock: for this device, and for an image number.
func (b *board) name(short string, number int) string {
	if b.d.o.Mode == RAMLoad {
		short += " ram" + strconv.Itoa(number)
	}
	if b.setup == "signed" {
		short += " signed"
	}
	return short
}

// image is an image of the stock. Those that are for a mode only have one name.
func (b *board) image(short string, number int) []byte {
	if file, ok := b.stock.Images[b.name(short, number)]; ok {
		return file
	}
	b.t.Fatalf("no image %q", b.name(short, number))
	return nil
}

// fresh is the device from the factory.
func (b *board) fresh() {
	b.d.mu.Lock()
	fill(b.d.flash.mem, erased)
	for i := range b.d.flash.images() {
		slot := b.d.flash.slot(2 * i)
		copy(slot, b.image("v1", i))
		if b.d.o.Mode == DirectXIPRevert {
			trailer{magic: set, imageOK: set, copyDone: set}.put(slot)
		}
	}
	b.d.reboot()
	b.d.mu.Unlock()
	b.alive()
}

func (b *board) alive() {
	ctx, stop := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer stop()
	if err := b.d.WaitAlive(ctx); err != nil {
		b.t.Fatal(err)
	}
}

// do does a deed. A boot has an answer.
func (b *board) do(deed string) (answer string) {
	f := strings.Fields(deed)
	number := func(n int) int {
		v, err := strconv.Atoi(f[n])
		if err != nil {
			b.t.Fatalf("deed %q: %v", deed, err)
		}
		return v
	}
	switch f[0] {
	case "upload": // name, image number, percent of it that arrives
		file := b.image(f[1], number(2))
		b.upload(file, number(2), len(file)*number(3)/100)
	case "flash": // name, slot: as a programming adapter does
		b.flash(f[1], number(2))
	case "test":
		b.choose(b.d.active(number(1))^1, false)
	case "take":
		b.choose(b.d.active(number(1))^1, true)
	case "confirm":
		b.request(0, map[string]any{"confirm": true})
	case "erase":
		b.request(5, map[string]any{"slot": b.d.active(number(1)) ^ 1})
	case "poke": // slot, distance from its end, bytes
		bytes, err := hex.DecodeString(f[3])
		if err != nil {
			b.t.Fatal(err)
		}
		copy(b.d.flash.slot(number(1))[recordedSlot-number(2):], bytes)
	case "cut": // flash operation before which the power is lost
		return b.boot(number(1))
	case "reset":
		return b.boot(0)
	default:
		b.t.Fatalf("deed %q", deed)
	}
	return ""
}

// flash puts an image into a slot where the bootloader looks for it.
func (b *board) flash(name string, slot int) {
	mem := b.d.flash.slot(slot)
	fill(mem, erased)
	copy(mem[b.d.imageStart(slot):], b.image(name, slot/2))
}

// boot boots, with or without a cut.
func (b *board) boot(cut int) (answer string) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	before := bytes.Clone(b.d.flash.mem)
	var out outcome
	if cut > 0 {
		out = b.d.loader(cut).run()
	} else {
		b.d.stop()
		out = b.d.bootload()
	}
	answer = answerOf(out, b.d.flash.mem)
	dead := b.ask != nil && b.ask(before, cut, answer, b.d.flash.mem)
	if cut == 0 && out.run[0] >= 0 && !dead {
		b.d.start()
	}
	return answer
}

func (b *board) upload(file []byte, number, sent int) {
	for off := 0; off < sent; {
		n := min(30000, sent-off)
		a := map[string]any{"off": off, "data": file[off : off+n]}
		if off == 0 {
			a["len"], a["image"] = len(file), number
		}
		if m := b.request(1, a); len(m) == 0 || m["err"] != nil || m["rc"] != nil && m["rc"] != uint64(0) {
			return
		}
		off += n
	}
}

// choose selects a slot by its hash.
func (b *board) choose(slot int, confirm bool) {
	b.d.mu.Lock()
	info, rc := b.d.info(slot)
	hash := slices.Clone(info.hash)
	b.d.mu.Unlock()
	if rc == 0 {
		b.request(0, map[string]any{"hash": hash, "confirm": confirm})
	}
}

// request writes to the image group and waits for the answer.
func (b *board) request(id uint8, a map[string]any) (answer map[string]any) {
	b.alive()
	body, err := cbor.Marshal(a)
	if err != nil {
		b.t.Fatal(err)
	}
	b.seq++
	h := smp.Header{Version: smp.V2, Op: smp.Write, Group: smp.GroupImage, Command: id, Sequence: b.seq,
		Length: uint16(len(body))}
	if err := b.link.WritePacket(append(h.Append(nil), body...)); err != nil {
		b.t.Fatal(err)
	}
	p, err := b.link.ReadPacket()
	if err != nil {
		b.t.Fatal(err)
	}
	if len(p) > smp.HeaderLen {
		_ = cbor.Unmarshal(p[smp.HeaderLen:], &answer)
	}
	return answer
}
