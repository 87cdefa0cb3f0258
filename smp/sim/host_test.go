package sim_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fxamacker/cbor/v2"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

func newDevice(t testing.TB, o sim.Options) *sim.Device {
	t.Helper()
	d, err := sim.NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// buildImage makes an unsigned image of a version, its hash in the last 32 bytes. The same version gives the same
// image.
func buildImage(version string) []byte { return buildWith(version, 9000, image.Header{}) }

// forRAM is what the header of an image says that is loaded to RAM.
var forRAM = image.Header{Flags: image.FlagRAMLoad, LoadAddr: 0x2000_0000}

// headerFor is what the header of an image for a mode says.
func headerFor(m sim.Mode) image.Header {
	if m == sim.RAMLoad {
		return forRAM
	}
	return image.Header{}
}

// buildWith fills in the fields of h that make an image of a body size.
func buildWith(version string, body int, h image.Header) []byte {
	v, err := image.ParseVersion(version)
	if err != nil {
		panic(err)
	}
	h.HeaderSize, h.ImageSize, h.Version = 32, uint32(body), v
	b := h.Append(nil)
	for i := range body {
		b = append(b, byte(i)^v.Major<<4)
	}
	return seal(b)
}

// seal appends the TLV area with the hash.
func seal(b []byte) []byte {
	sum := sha256.Sum256(b)
	b = binary.LittleEndian.AppendUint16(b, 0x6907)
	b = binary.LittleEndian.AppendUint16(b, 40)
	b = binary.LittleEndian.AppendUint16(b, 0x10)
	b = binary.LittleEndian.AppendUint16(b, 32)
	return append(b, sum[:]...)
}

// host talks to a device over a link and fails the test if that does not work.
type host struct {
	t    testing.TB
	link *sim.Link
	seq  uint8
	kind image.Header // of the images of uploadImage

	mu  sync.Mutex
	got [][]byte
}

// newHost collects answers until the device or the link is closed.
func newHost(t testing.TB, d *sim.Device) *host {
	h := &host{t: t, link: d.Link()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			p, err := h.link.ReadPacket()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.got = append(h.got, p)
			h.mu.Unlock()
		}
	}()
	t.Cleanup(func() { h.link.Close(); <-done })
	return h
}

func (h *host) send(p []byte) {
	h.t.Helper()
	if err := h.link.WritePacket(p); err != nil {
		h.t.Fatal(err)
	}
}

// all gives the answers that came until nothing moves any more. It works in a synctest bubble only.
func (h *host) all() [][]byte {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	got := h.got
	h.got = nil
	return got
}

// request builds a version 2 packet.
func (h *host) request(op smp.Op, g smp.Group, id uint8, args any) []byte {
	h.t.Helper()
	body, err := cbor.Marshal(args)
	if err != nil {
		h.t.Fatal(err)
	}
	h.seq++
	head := smp.Header{Version: smp.V2, Op: op, Group: g, Command: id, Sequence: h.seq, Length: uint16(len(body))}
	return append(head.Append(nil), body...)
}

type args map[string]any

// ask sends a request and gives the decoded answer, nil for silence.
func (h *host) ask(op smp.Op, g smp.Group, id uint8, a args) map[string]any {
	h.t.Helper()
	if a == nil {
		a = args{}
	}
	h.send(h.request(op, g, id, a))
	got := h.all()
	if len(got) == 0 {
		return nil
	}
	if len(got) > 1 {
		h.t.Fatalf("got %d answers %x, want 1", len(got), got)
	}
	return decode(h.t, got[0])
}

func decode(t testing.TB, p []byte) map[string]any {
	t.Helper()
	head, body, err := smp.ParseHeader(p)
	if err != nil || int(head.Length) != len(p)-smp.HeaderLen {
		t.Fatalf("answer %x: %v", p, err)
	}
	var m map[string]any
	if err := cbor.Unmarshal(body, &m); err != nil {
		t.Fatalf("answer %x: %v", p, err)
	}
	return m
}

// uploadImage uploads the image of a version.
func (h *host) uploadImage(version string, damaged bool) {
	h.t.Helper()
	b := buildWith(version, 9000, h.kind)
	if damaged {
		b[len(b)/2] ^= 1
	}
	h.upload(b, nil)
}

// upload sends a file from the start, with more keys in the first request.
func (h *host) upload(file []byte, more args) {
	h.t.Helper()
	for off := 0; off < len(file); {
		a := args{"off": off, "data": file[off:min(off+256, len(file))]}
		if off == 0 {
			a["len"] = len(file)
			for k, v := range more {
				a[k] = v
			}
		}
		r := h.ask(smp.Write, smp.GroupImage, 1, a)
		next, ok := r["off"].(uint64)
		if !ok || int(next) <= off {
			h.t.Fatalf("upload at %d: answer %v", off, r)
		}
		off = int(next)
	}
}

// list is the image list in short: one text for each slot.
func (h *host) list() []string {
	h.t.Helper()
	return short(h.ask(smp.Read, smp.GroupImage, 0, nil))
}

func short(r map[string]any) []string {
	images, ok := r["images"].([]any)
	if !ok {
		return []string{fmt.Sprint(r)}
	}
	var list []string
	for _, i := range images {
		m := i.(map[any]any)
		s := ""
		if n, ok := m["image"]; ok {
			s = fmt.Sprintf("%v/", n)
		}
		s += fmt.Sprintf("%v %v", m["slot"], m["version"])
		for _, flag := range []string{"pending", "confirmed", "active", "permanent"} {
			if m[flag] == true {
				s += " " + flag
			}
		}
		list = append(list, s)
	}
	return list
}

// collect reads a stream in the background. The function gives what arrived since the last call.
func collect(t testing.TB, r io.Reader) func() []byte {
	var mu sync.Mutex
	var got []byte
	go func() {
		buf := make([]byte, 1000)
		for {
			n, err := r.Read(buf)
			mu.Lock()
			got = append(got, buf[:n]...)
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return func() []byte {
		mu.Lock()
		defer mu.Unlock()
		p := got
		got = nil
		return p
	}
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
