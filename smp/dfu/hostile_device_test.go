package dfu_test

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
)

// stranger is a device that follows no code that anybody has read: two slots, a bootloader, and answers as its oddity
// says. It shares nothing with the virtual device.
type stranger struct {
	odd oddity

	mu       sync.Mutex // guards what follows
	slots    [2]*image.Image
	run      int  // slot that runs
	trial    bool // until the next reset, which returns to the other slot
	selected bool // the slot that does not run, for the next boot
	forGood  bool // and it stays
	state    string
	stuck    int    // resets for which the bootloader stays
	upload   []byte // so far
	reads    int    // of the list
	before   []any  // the list before the last reset or mark
	links    map[*strangeLink]bool
}

// The states of a stranger.
const (
	dark       = "dark"
	inApp      = "application"
	inRecovery = "bootloader"
)

// boot is what its bootloader does. The lock is held.
func (d *stranger) boot() {
	marked, forGood, trial := d.selected, d.forGood, d.trial
	d.selected, d.forGood, d.trial = false, false, false
	other := d.slots[1-d.run]
	switch {
	case d.odd.bootloader == "newest":
		if other != nil && other.Header.Version.Compare(d.slots[d.run].Header.Version) > 0 {
			d.run = 1 - d.run
		}
	case !marked && !trial || other == nil:
	case d.odd.bootloader == "rejects" && marked:
		d.slots[1-d.run] = nil
	case d.odd.bootloader == "overwrites":
		if marked {
			d.slots = [2]*image.Image{other, nil}
		}
	default:
		d.slots[0], d.slots[1] = d.slots[1], d.slots[0]
		d.trial = marked && !forGood
	}
}

// restart is a reset, with all that may come of it. The lock is held.
func (d *stranger) restart() {
	d.before = d.list()
	d.boot()
	d.state, d.upload = dark, nil
	for l := range d.links {
		if d.odd.usb {
			l.end()
		}
	}
	next := inApp
	if d.stuck > 0 {
		d.stuck--
		next = inRecovery
	}
	time.AfterFunc(2*time.Second, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.state = next
	})
}

// settle waits until it answers.
func (d *stranger) settle() {
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		d.mu.Lock()
		up := d.state != dark
		d.mu.Unlock()
		if up {
			return
		}
	}
}

// runs reports whether an image runs now.
func (d *stranger) runs(m *image.Image) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state == inApp && bytes.Equal(d.slots[d.run].Hash(), m.Hash())
}

// holds reports whether the slot that does not run has the image.
func (d *stranger) holds(m *image.Image) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.slots[1-d.run]
	return s != nil && bytes.Equal(s.Hash(), m.Hash())
}

// strangeLink is a way to a stranger.
type strangeLink struct {
	d    *stranger
	out  chan []byte
	over chan struct{}
	once sync.Once
}

func (d *stranger) open() *strangeLink {
	l := &strangeLink{d: d, out: make(chan []byte, 256), over: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.links == nil {
		d.links = map[*strangeLink]bool{}
	}
	d.links[l] = true
	return l
}

func (l *strangeLink) end() { l.once.Do(func() { close(l.over) }) }

func (l *strangeLink) ReadPacket() ([]byte, error) {
	select {
	case p := <-l.out:
		return p, nil
	case <-l.over:
		return nil, io.EOF
	}
}

func (l *strangeLink) WritePacket(p []byte) error {
	select {
	case <-l.over:
		return io.ErrClosedPipe
	default:
	}
	h, body, err := smp.ParseHeader(p)
	if err != nil {
		return nil
	}
	if answer := l.d.answer(h, body); answer != nil {
		payload, err := cbor.Marshal(answer)
		if err != nil {
			return err
		}
		h.Op, h.Length = h.Op.Response(), uint16(len(payload))
		l.out <- append(h.Append(nil), payload...)
	}
	return nil
}

func (l *strangeLink) Overhead() int { return 4 }

func (l *strangeLink) Close() error {
	l.d.mu.Lock()
	delete(l.d.links, l)
	l.d.mu.Unlock()
	l.end()
	return nil
}

// fields is the map of an answer; nil is silence.
type fields = map[string]any

// refusal is an answer with an error of the image group.
func refusal(code int) fields {
	return fields{"err": fields{"group": smp.GroupImage, "rc": code}}
}

var unsupported = fields{"rc": 8}

// answer carries out a request.
func (d *stranger) answer(h smp.Header, body []byte) fields {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == dark {
		return nil
	}
	type key struct {
		group   smp.Group
		command uint8
	}
	switch (key{h.Group, h.Command}) {
	case key{smp.GroupOS, 1}:
		if d.state == inRecovery {
			return fields{"rc": 0}
		}
	case key{smp.GroupOS, 5}:
		return d.reset()
	case key{smp.GroupOS, 6}:
		return fields{"buf_size": 1024, "buf_count": 4}
	case key{smp.GroupOS, 8}:
		return d.info(body)
	case key{smp.GroupImage, 0}:
		if h.Op == smp.Write {
			return d.write(body)
		}
		return d.read()
	case key{smp.GroupImage, 1}:
		return d.take(body)
	}
	return unsupported
}

// info is the bootloader's information, true or not.
func (d *stranger) info(body []byte) fields {
	var q struct {
		Query string `cbor:"query"`
	}
	mode, ok := map[string]smp.SwapMode{
		"swap": smp.ModeSwapMove, "overwrite": smp.ModeOverwrite, "direct-xip": smp.ModeDirectXIP,
		"ram-load": smp.ModeRAMLoad,
		"revert":   smp.ModeDirectXIPRevert, "nonsense": 42,
	}[d.odd.says()]
	switch err := cbor.Unmarshal(body, &q); {
	case !ok || err != nil || d.state == inRecovery:
		return unsupported
	case q.Query == "":
		return fields{"bootloader": "MCUboot"}
	}
	return fields{"mode": int(mode)}
}

// take receives a chunk.
func (d *stranger) take(body []byte) fields {
	var q struct {
		Off  int    `cbor:"off"`
		Len  int    `cbor:"len"`
		Data []byte `cbor:"data"`
	}
	if cbor.Unmarshal(body, &q) != nil || d.trial || d.state == inRecovery {
		return refusal(10) // NO_FREE_SLOT
	}
	if q.Off == 0 {
		d.upload = make([]byte, 0, q.Len)
		d.slots[1-d.run], d.selected, d.forGood = nil, false, false
	}
	if q.Off == len(d.upload) && len(d.upload)+len(q.Data) <= cap(d.upload) {
		d.upload = append(d.upload, q.Data...)
	}
	if off := len(d.upload); off < cap(d.upload) {
		return fields{"off": off}
	}
	if m, err := image.Parse(bytes.Clone(d.upload)); err == nil {
		d.slots[1-d.run] = m
	}
	return fields{"off": cap(d.upload)}
}

// reset takes a reset.
func (d *stranger) reset() fields {
	switch d.odd.reset {
	case "ignores":
		return fields{}
	case "unanswered":
		d.restart()
		return nil
	case "bootloader":
		if d.state == inApp {
			d.stuck = 1
		}
	case "bootloader-for-good":
		d.stuck = 1
	}
	time.AfterFunc(250*time.Millisecond, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.restart()
	})
	return fields{}
}
