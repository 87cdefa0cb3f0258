package transport_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

// scriptedStream reads what it was given, call by call, and takes every write.
type scriptedStream struct {
	reads    []read
	writeErr error
	short    int // bytes a Write leaves out
}

type read struct {
	data string
	err  error
}

func (s *scriptedStream) Read(p []byte) (int, error) {
	if len(s.reads) == 0 {
		return 0, io.EOF
	}
	next := &s.reads[0]
	n := copy(p, next.data)
	if next.data = next.data[n:]; next.data != "" {
		return n, nil
	}
	s.reads = s.reads[1:]
	return n, next.err
}

func (s *scriptedStream) Write(p []byte) (int, error) { return len(p) - s.short, s.writeErr }
func (s *scriptedStream) Close() error                { return nil }

func TestConnReadErrors(t *testing.T) {
	unplugged := errors.New("input/output error")
	tests := []struct {
		name  string
		reads []read
		want  []string // packets in hex
		text  string   // of the error
		cause error
	}{
		{"end of file", nil, nil, "device disconnected: it ended the connection", io.EOF},
		{"data and error at once", []read{{helloFrame + refusFrame, unplugged}},
			[]string{hex.EncodeToString(hello), hex.EncodeToString(refusal)},
			"device disconnected: input/output error", unplugged},
		{"half a frame, then the error", []read{{helloFrame + "\x06\x09ABQL", nil}, {"", unplugged}},
			[]string{hex.EncodeToString(hello)}, "device disconnected: input/output error", unplugged},
		{"nothing after an error", []read{{"", unplugged}, {helloFrame, nil}}, nil,
			"device disconnected: input/output error", unplugged},
		{"some empty reads", []read{{"", nil}, {"", nil}, {helloFrame, nil}}, []string{hex.EncodeToString(hello)},
			"device disconnected: it ended the connection", io.EOF},
		{"nearly too many empty reads", append(make([]read, 99), read{helloFrame, nil}),
			[]string{hex.EncodeToString(hello)}, "device disconnected: it ended the connection", io.EOF},
		{"only empty reads", append(make([]read, 100), read{helloFrame, nil}), nil,
			"device disconnected: multiple Read calls return no data or error", io.ErrNoProgress},
		{"said by the stream itself", []read{{"", transport.ErrDisconnected}}, nil, "device disconnected",
			transport.ErrDisconnected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := transport.NewConn(&scriptedStream{reads: test.reads}, transport.Options{})
			defer c.Close()
			var got []string
			p, err := c.ReadPacket()
			for ; err == nil; p, err = c.ReadPacket() {
				got = append(got, hex.EncodeToString(p))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("packets, -want +got:\n%s", diff)
			}
			if err.Error() != test.text || !errors.Is(err, transport.ErrDisconnected) || !errors.Is(err, test.cause) {
				t.Errorf("ReadPacket: %v, want %s, matching ErrDisconnected and %v", err, test.text, test.cause)
			}
			if p, again := c.ReadPacket(); again != err {
				t.Errorf("ReadPacket again = %x, %v, want the same error", p, again)
			}
			writeErr := c.WritePacket(hello)
			if want := "write packet: " + test.text; writeErr == nil || writeErr.Error() != want {
				t.Errorf("WritePacket: %v, want %s", writeErr, want)
			}
		})
	}
}

func TestConnWriteErrors(t *testing.T) {
	unplugged := errors.New("no such device or address")
	tests := []struct {
		name   string
		stream scriptedStream
		want   string
	}{
		{"error", scriptedStream{writeErr: unplugged}, "write packet: device disconnected: no such device or address"},
		{"short", scriptedStream{short: 1}, "write packet: device disconnected: short write: 30 of 31 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := transport.NewConn(&test.stream, transport.Options{})
			defer c.Close()
			packet := mustHex("0a00000900004200a161646568656c6c6f")
			for range 2 {
				err := c.WritePacket(packet)
				if err == nil || err.Error() != test.want || !errors.Is(err, transport.ErrDisconnected) {
					t.Errorf("WritePacket: %v, want %s, matching ErrDisconnected", err, test.want)
				}
			}
			if got := c.Stats(); got != (transport.Stats{}) {
				t.Errorf("Stats = %+v, want nothing sent", got)
			}
		})
	}
}

func TestConnText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		c, far := pipe(t, transport.Options{Text: func(p []byte) { text.Write(p) }})
		go mustWrite(t, far, "*** Booting\r\nuart:~$ "+helloFrame+"bye\x06"+refusFrame)
		for _, want := range [][]byte{hello, refusal} {
			if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, want) {
				t.Errorf("ReadPacket = %x, %v, want %x", p, err, want)
			}
		}
		if want := "*** Booting\r\nuart:~$ bye\x06"; text.String() != want {
			t.Errorf("text = %q, want %q", text.String(), want)
		}
	})
}

// TestConnRawIdle sends half a packet and, after a pause, a whole one.
func TestConnRawIdle(t *testing.T) {
	tests := []struct {
		name  string
		first string
		pause time.Duration
		want  []byte
		stats transport.Stats
	}{
		{"idle after half a packet", string(hello[:12]), 250 * time.Millisecond, refusal,
			transport.Stats{Packets: 1, Bytes: 12 + 14, Incomplete: 1}},
		{"idle after noise", "*** Booting\r\n", 250 * time.Millisecond, refusal,
			transport.Stats{Packets: 1, Bytes: 13 + 14, TextBytes: 13, BadHeader: 1}},
		{"a pause inside a packet", string(hello[:12]), 249 * time.Millisecond,
			append(bytes.Clone(hello[:12]), refusal[:6]...), transport.Stats{Packets: 1, Bytes: 12 + 6}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, far := pipe(t, transport.Options{Raw: true})
				go func() {
					mustWrite(t, far, test.first)
					time.Sleep(test.pause)
					mustWrite(t, far, string(refusal))
				}()
				if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, test.want) {
					t.Errorf("ReadPacket = %x, %v, want %x", p, err, test.want)
				}
				if diff := cmp.Diff(test.stats, c.Stats()); diff != "" {
					t.Errorf("Stats, -want +got:\n%s", diff)
				}
			})
		})
	}
}
