package main

import (
	"bytes"
	"fmt"
	"net"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
)

// oddDevice is a virtual device behind somebody who has success answered to what is not done, or done otherwise.
type oddDevice struct {
	board *sim.Device
	way   oddWay

	mu    sync.Mutex
	reads map[uint8]bool // sequence numbers of writes that were turned into reads
	wants map[uint8]int  // offsets that the answers to uploads are to name
}

// oddWay changes a request. It returns the payload to pass on, or the answer in the device's place.
type oddWay func(o *oddDevice, h *smp.Header, body map[string]any) (answer map[string]any)

// oddWays are the ways in which a device can be odd, by the name that a script gives them.
var oddWays = map[string]oddWay{
	// A state write changes nothing. The answer is the list as it is, or none.
	"mark-ignored": on(smp.GroupImage, 0, func(o *oddDevice, h *smp.Header, body map[string]any) map[string]any {
		if h.Op == smp.Write {
			clear(body)
			h.Op = smp.Read
			o.reads[h.Sequence] = true
		}
		return nil
	}),
	"mark-unanswered": on(smp.GroupImage, 0, func(_ *oddDevice, h *smp.Header, _ map[string]any) map[string]any {
		if h.Op == smp.Write {
			return map[string]any{}
		}
		return nil
	}),
	// A confirm marks for a test.
	"confirm-tests": on(smp.GroupImage, 0, func(_ *oddDevice, _ *smp.Header, body map[string]any) map[string]any {
		delete(body, "confirm")
		return nil
	}),
	"erase-ignored": on(smp.GroupImage, 5,
		func(*oddDevice, *smp.Header, map[string]any) map[string]any { return map[string]any{} }),
	// A server from before the command had an argument.
	"erase-default": on(smp.GroupImage, 5, func(_ *oddDevice, _ *smp.Header, body map[string]any) map[string]any {
		delete(body, "slot")
		return nil
	}),
	"upload-dropped": on(smp.GroupImage, 1, swallow),
	// A server that writes to the second image, whatever the upload names.
	"upload-elsewhere": on(smp.GroupImage, 1, func(_ *oddDevice, _ *smp.Header, body map[string]any) map[string]any {
		body["image"] = 1
		return nil
	}),
	"file-dropped": on(smp.GroupFS, 0, swallow),
	"file-short": on(smp.GroupFS, 0, func(o *oddDevice, h *smp.Header, body map[string]any) map[string]any {
		if data, ok := body["data"].([]byte); ok && len(data) > 1 {
			off, _ := body["off"].(uint64)
			o.wants[h.Sequence] = int(off) + len(data)
			body["data"], body["len"] = data[:len(data)-1], len(data)-1
		}
		return nil
	}),
	"file-changed": on(smp.GroupFS, 0, func(_ *oddDevice, _ *smp.Header, body map[string]any) map[string]any {
		if data, ok := body["data"].([]byte); ok && len(data) > 0 {
			data[0] ^= 1
		}
		return nil
	}),
	// Neither size nor hash of a file can be had.
	"file-untold": func(_ *oddDevice, h *smp.Header, _ map[string]any) map[string]any {
		if h.Group == smp.GroupFS && h.Command > 0 && h.Command < 4 {
			return map[string]any{"rc": 8}
		}
		return nil
	},
}

// on limits a way to one command.
func on(group smp.Group, id uint8, way oddWay) oddWay {
	return func(o *oddDevice, h *smp.Header, body map[string]any) map[string]any {
		if h.Group != group || h.Command != id {
			return nil
		}
		return way(o, h, body)
	}
}

// swallow answers a chunk without storing it.
func swallow(_ *oddDevice, h *smp.Header, body map[string]any) map[string]any {
	if h.Op != smp.Write {
		return nil
	}
	off, _ := body["off"].(uint64)
	data, _ := body["data"].([]byte)
	return map[string]any{"rc": 0, "off": int(off) + len(data)}
}

func newOddDevice(board *sim.Device, name string) (*oddDevice, error) {
	way, ok := oddWays[name]
	if !ok {
		return nil, fmt.Errorf("no device is odd in the way %q", name)
	}
	return &oddDevice{board: board, way: way, reads: map[uint8]bool{}, wants: map[uint8]int{}}, nil
}

// serve takes hosts until the listener is closed.
func (o *oddDevice) serve(l net.Listener) error {
	var hosts sync.WaitGroup
	defer hosts.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			return nil
		}
		hosts.Go(func() { o.attend(conn) })
	}
}

// attend passes packets between one host and the board.
func (o *oddDevice) attend(conn net.Conn) {
	host, device := transport.NewConn(conn, transport.Options{}), o.board.Link()
	defer device.Close()
	var answers sync.WaitGroup
	defer answers.Wait()
	answers.Go(func() {
		defer host.Close()
		for {
			p, err := device.ReadPacket()
			if err != nil || host.WritePacket(o.back(p)) != nil {
				return
			}
		}
	})
	defer device.Close()
	for {
		p, err := host.ReadPacket()
		if err != nil {
			return
		}
		request, answer := o.there(p)
		if answer != nil {
			err = host.WritePacket(answer)
		} else {
			err = device.WritePacket(request)
		}
		if err != nil {
			return
		}
	}
}

// there changes a request, or answers it.
func (o *oddDevice) there(p []byte) (request, answer []byte) {
	h, payload, err := smp.ParseHeader(p)
	body := map[string]any{}
	if err != nil || cbor.Unmarshal(payload, &body) != nil {
		return p, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.reads, h.Sequence)
	delete(o.wants, h.Sequence)
	if reply := o.way(o, &h, body); reply != nil {
		h.Op = h.Op.Response()
		return nil, oddPacket(h, reply)
	}
	return oddPacket(h, body), nil
}

// back makes the answer that of what the host asked.
func (o *oddDevice) back(p []byte) []byte {
	h, payload, err := smp.ParseHeader(p)
	body := map[string]any{}
	if err != nil || cbor.Unmarshal(payload, &body) != nil {
		return p
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reads[h.Sequence] {
		h.Op += smp.Write - smp.Read
	}
	if off, ok := o.wants[h.Sequence]; ok {
		body["off"] = off
	}
	return oddPacket(h, body)
}

func oddPacket(h smp.Header, body map[string]any) []byte {
	payload, err := cbor.Marshal(body)
	if err != nil {
		panic(err)
	}
	h.Length = uint16(len(payload))
	return append(h.Append(nil), bytes.Clone(payload)...)
}
