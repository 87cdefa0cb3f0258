package dfu_test

import (
	"io"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/smp"
)

// oddLink is a device that answers from a table, whatever that may mean. It answers at once.
type oddLink struct {
	answer func(h smp.Header, body map[string]any) map[string]any // nil is silence

	answers chan []byte
	closed  chan struct{}
	once    sync.Once
}

func newOddLink(answer func(smp.Header, map[string]any) map[string]any) *oddLink {
	return &oddLink{answer: answer, answers: make(chan []byte, 64), closed: make(chan struct{})}
}

func (l *oddLink) ReadPacket() ([]byte, error) {
	select {
	case p := <-l.answers:
		return p, nil
	case <-l.closed:
		return nil, io.EOF
	}
}

func (l *oddLink) WritePacket(p []byte) error {
	h, payload, err := smp.ParseHeader(p)
	body := map[string]any{}
	if err == nil {
		err = cbor.Unmarshal(payload, &body)
	}
	if err != nil {
		return err
	}
	reply := l.answer(h, body)
	if reply == nil {
		return nil
	}
	encoded, err := cbor.Marshal(reply)
	h.Op, h.Length = h.Op.Response(), uint16(len(encoded))
	l.answers <- append(h.Append(nil), encoded...)
	return err
}

func (l *oddLink) Overhead() int { return 4 }

func (l *oddLink) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// oddState is a device that lists what it is told to, and answers a state write or an erase with success.
type oddState struct {
	before     smp.ImageList
	answer     *smp.ImageList // of a state write; nil is an answer without a list
	after      smp.ImageList  // from then on
	bootloader bool
	listFails  bool // after the write
	refuses    int  // code of the image group for the write
	sent       []string
}

func (o *oddState) reply(h smp.Header, body map[string]any) map[string]any {
	const notSupported = 8
	written := len(o.sent) > 0
	switch {
	case h.Group == smp.GroupImage && h.Op == smp.Write:
		o.sent = append(o.sent, askedFor(h, body))
		switch {
		case o.refuses != 0:
			return map[string]any{"err": map[string]any{"group": smp.GroupImage, "rc": o.refuses}}
		case o.answer == nil:
			return map[string]any{}
		}
		return o.list(*o.answer)
	case h.Group == smp.GroupImage && h.Command == 0 && written && o.listFails:
		return map[string]any{"rc": 7}
	case h.Group == smp.GroupImage && h.Command == 0 && written:
		return o.list(o.after)
	case h.Group == smp.GroupImage && h.Command == 0:
		return o.list(o.before)
	case h.Group == smp.GroupOS && h.Command == 1 && o.bootloader: // console echo control
		return map[string]any{"rc": 0}
	}
	return map[string]any{"rc": notSupported}
}

// askedFor names a request.
func askedFor(h smp.Header, body map[string]any) string {
	confirm, _ := body["confirm"].(bool)
	_, hash := body["hash"]
	switch {
	case h.Command == 5:
		return "erase"
	case confirm && hash:
		return "confirm by hash"
	case confirm:
		return "confirm"
	}
	return "test"
}

// list encodes a list as an application does, or the bootloader.
func (o *oddState) list(l smp.ImageList) map[string]any {
	images := []map[string]any{}
	for _, s := range l.Images {
		images = append(images,
			map[string]any{"image": s.Image, "slot": s.Slot, "version": s.Version, "hash": []byte(s.Hash),
				"active": s.Active, "pending": s.Pending, "confirmed": s.Confirmed, "permanent": s.Permanent})
	}
	m := map[string]any{"images": images}
	if !o.bootloader {
		m["splitStatus"] = 0
	}
	return m
}
