package transport_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

const traceTitle = "# smp trace: seconds, > sent or < received, what the header says, packet in hex\n"

// TestConnTrace holds a conversation, compares its trace and reads it again.
func TestConnTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trace bytes.Buffer
		var text strings.Builder
		c, far := pipe(t, transport.Options{Trace: &trace, Text: func(p []byte) { text.Write(p) }})
		request := mustHex("0a00000900004200a161646568656c6c6f")
		receive := func(want []byte) {
			t.Helper()
			if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, want) {
				t.Errorf("ReadPacket = %x, %v, want %x", p, err, want)
			}
		}
		go func() {
			buf := make([]byte, 100)
			for _, answer := range []string{
				"\x1b[0m<inf> \xff\u00fc\r\nuart:~$ " + helloFrame, // to the packet
				"half a line", // to the text
				" and the rest\n" + lettersTop + "\x04\x14oops\x01\n" + refusFrame,
			} {
				if _, err := far.Read(buf); err != nil {
					t.Error(err)
				}
				time.Sleep(1500 * time.Microsecond)
				mustWrite(t, far, answer)
			}
			time.Sleep(time.Second)
			mustWrite(t, far, "bye")
			far.Close()
		}()

		if err := c.WritePacket(request); err != nil {
			t.Error(err)
		}
		receive(hello)
		if err := c.WriteText([]byte("\n")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		reading := later(func() error { receive(refusal); return nil })
		synctest.Wait() // half a line is there now
		if err := c.WritePacket(request); err != nil {
			t.Error(err)
		}
		<-reading
		if _, err := c.ReadPacket(); !errors.Is(err, transport.ErrDisconnected) {
			t.Errorf("ReadPacket: %v, want ErrDisconnected", err)
		}
		if err := c.WritePacket(request); !errors.Is(err, transport.ErrDisconnected) {
			t.Errorf("WritePacket: %v, want ErrDisconnected", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}

		want := traceTitle +
			"0.000000 > write v2 group 0 id 0 seq 66 len 9 0a00000900004200a161646568656c6c6f\n" +
			`0.001500 < text "\x1b[0m<inf> \xff\u00fc\r\n"` + "\n" +
			`0.001500 < text "uart:~$ "` + "\n" +
			"0.001500 < write-rsp v2 group 0 id 0 seq 66 len 10 0b00000a00004200bf61726568656c6c6fff\n" +
			`0.001500 > text "\n"` + "\n" +
			`1.001500 < text "half a line"` + "\n" +
			"1.001500 > write v2 group 0 id 0 seq 66 len 9 0a00000900004200a161646568656c6c6f\n" +
			`1.003000 < text " and the rest\n"` + "\n" +
			`1.003000 < text "oops\x01"` + "\n" +
			`1.003000 ! note "dropped: bad base64 (1)"` + "\n" +
			"1.003000 < read-rsp v1 group 1 id 6 seq 2 len 6 0100000600010206bf62726308ff\n" +
			`2.003000 < text "bye"` + "\n" +
			`2.003000 ! note "device disconnected: it ended the connection"` + "\n"
		if diff := cmp.Diff(want, trace.String()); diff != "" {
			t.Errorf("trace, -want +got:\n%s", diff)
		}
		if want := "\x1b[0m<inf> \xff\u00fc\r\nuart:~$ half a line and the rest\noops\x01bye"; text.String() != want {
			t.Errorf("text = %q, want %q", text.String(), want)
		}
		checkReplay(t, trace.Bytes(), []string{"> " + hex.EncodeToString(request), "< " + hex.EncodeToString(hello),
			"> " + hex.EncodeToString(request), "< " + hex.EncodeToString(refusal)})
	})
}

// checkReplay reads a trace and compares its packets with want.
func checkReplay(t *testing.T, trace []byte, want []string) {
	t.Helper()
	var got []string
	for _, e := range readTrace(t, trace) {
		switch e.Kind {
		case transport.SentPacket:
			got = append(got, "> "+hex.EncodeToString(e.Packet))
		case transport.ReceivedPacket:
			got = append(got, "< "+hex.EncodeToString(e.Packet))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets of the trace, -want +got:\n%s", diff)
	}
}

func TestConnTraceOfDamage(t *testing.T) {
	badCRC := "\x06\x09ABQLAAAKAABCAL9hcmVoZWxsb/8s+g==\n"
	tests := []struct {
		name   string
		raw    bool
		stream string
		want   string // behind the title and the time, without text and packets
	}{
		{"none", false, helloFrame, ""},
		{"bad checksum", false, badCRC, `! note "dropped: bad crc (1)"`},
		{"two bad checksums at once", false, badCRC + badCRC, `! note "dropped: bad crc (2)"`},
		{"several kinds", false,
			lettersEnd + lettersTop + "\x06\x09ABQL" + badCRC + "\x06\x09AAA=\n" + lettersTop + lettersTop,
			`! note "dropped: incomplete packet (1), line cut off (1), stray line (1), bad length (1), bad crc (1)"`},
		{"long line", false, "\x06\x09" + strings.Repeat("A", 8193), `! note "dropped: line too long (1)"`},
		{"raw", true, "\x00\x00", `! note "dropped: no packet header (1)"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var trace bytes.Buffer
			stream := &scriptedStream{reads: []read{{test.stream, nil}}}
			c := transport.NewConn(stream, transport.Options{Raw: test.raw, Trace: &trace})
			defer c.Close()
			for _, err := c.ReadPacket(); !errors.Is(err, transport.ErrDisconnected); _, err = c.ReadPacket() {
				if err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for line := range strings.Lines(trace.String()) {
				if _, event, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(event,
					"! note \"dropped") {
					got = append(got, event)
				}
			}
			if test.want == "" && got == nil {
				return
			}
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Errorf("notes of damage, -want +got:\n%s", diff)
			}
		})
	}
}

// TestConnTraceOfLongText cuts text without newlines, and writes the rest at the end.
func TestConnTraceOfLongText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trace bytes.Buffer
		c, far := pipe(t, transport.Options{Trace: &trace})
		reading := later(func() error { _, err := c.ReadPacket(); return err })
		mustWrite(t, far, strings.Repeat("x", 300))
		time.Sleep(time.Second)
		mustWrite(t, far, strings.Repeat("y", 10))
		time.Sleep(time.Second)
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		<-reading
		want := traceTitle +
			`0.000000 < text "` + strings.Repeat("x", 256) + "\"\n" +
			`0.000000 < text "` + strings.Repeat("x", 44) + strings.Repeat("y", 10) + "\"\n"
		if diff := cmp.Diff(want, trace.String()); diff != "" {
			t.Errorf("trace, -want +got:\n%s", diff)
		}
	})
}

func TestConnTraceOfSlowWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trace bytes.Buffer
		c, far := pipe(t, transport.Options{Trace: &trace})
		writing := later(func() error { return c.WritePacket(hello) })
		time.Sleep(5 * time.Second)
		go io.Copy(io.Discard, far)
		(<-writing).check(t, "WritePacket", nil, 5*time.Second)
		c.Close()
		want := traceTitle +
			"0.000000 > write-rsp v2 group 0 id 0 seq 66 len 10 0b00000a00004200bf61726568656c6c6fff\n" +
			`3.000000 ! note "write packet: not taken within 3s"` + "\n"
		if diff := cmp.Diff(want, trace.String()); diff != "" {
			t.Errorf("trace, -want +got:\n%s", diff)
		}
	})
}

// TestConnTraceOfTurns has a packet whose turn comes when the device is gone: it was not sent.
func TestConnTraceOfTurns(t *testing.T) {
	for range 50 { // which of two ends of a wait is seen first is left to chance
		synctest.Test(t, func(t *testing.T) {
			var trace bytes.Buffer
			near, far := net.Pipe()
			stream := &countedStream{ReadWriteCloser: near}
			c := transport.NewConn(stream, transport.Options{Trace: &trace})
			first := later(func() error { return c.WritePacket(hello) })
			synctest.Wait()
			second := later(func() error { return c.WritePacket(refusal) })
			synctest.Wait()
			far.Close()
			(<-first).check(t, "first WritePacket", transport.ErrDisconnected, 0)
			(<-second).check(t, "second WritePacket", transport.ErrDisconnected, 0)
			c.Close()
			want := traceTitle +
				"0.000000 > write-rsp v2 group 0 id 0 seq 66 len 10 0b00000a00004200bf61726568656c6c6fff\n" +
				`0.000000 ! note "device disconnected: io: read/write on closed pipe"` + "\n"
			if diff := cmp.Diff(want, trace.String()); diff != "" {
				t.Fatalf("trace, -want +got:\n%s", diff)
			}
			if n := stream.writes.Load(); n != 1 {
				t.Fatalf("%d writes, want only that of the first packet", n)
			}
		})
	}
}

// fullDisk takes some bytes and then no more.
type fullDisk struct {
	room   int
	writes int // after it was full
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room < len(p) {
		d.room = 0
		d.writes++
		return 0, errFull
	}
	d.room -= len(p)
	return len(p), nil
}

// TestConnTraceCannotBeWritten must not harm the connection; Close tells.
func TestConnTraceCannotBeWritten(t *testing.T) {
	for _, room := range []int{0, len(traceTitle)} {
		disk := &fullDisk{room: room}
		c := transport.NewConn(&scriptedStream{reads: []read{{helloFrame, nil}}}, transport.Options{Trace: disk})
		if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, hello) {
			t.Errorf("ReadPacket = %x, %v, want %x", p, err, hello)
		}
		if err := c.WritePacket(hello); err != nil {
			t.Errorf("WritePacket: %v", err)
		}
		for range 2 {
			err := c.Close()
			if want := "write trace: no space left on device"; err == nil || err.Error() != want ||
				!errors.Is(err, errFull) {
				t.Errorf("Close: %v, want %s", err, want)
			}
		}
		if disk.writes != 1 {
			t.Errorf("%d writes to a full disk, want 1", disk.writes)
		}
	}
}

// TestConnTraceEndsWithClose writes nothing to what may belong to somebody else by
// then, not even a packet that was read before.
func TestConnTraceEndsWithClose(t *testing.T) {
	var trace bytes.Buffer
	var c *transport.Conn
	stream := &scriptedStream{reads: []read{{"bye\n" + helloFrame + "more\n", nil}}}
	c = transport.NewConn(stream, transport.Options{Trace: &trace, Text: func([]byte) { c.Close() }})
	if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, hello) {
		t.Errorf("ReadPacket = %x, %v, want %x", p, err, hello)
	}
	if _, err := c.ReadPacket(); err != transport.ErrClosed {
		t.Errorf("ReadPacket: %v, want ErrClosed", err)
	}
	if err := c.WritePacket(hello); err != transport.ErrClosed {
		t.Errorf("WritePacket: %v, want ErrClosed", err)
	}
	_, got, _ := strings.Cut(strings.TrimPrefix(trace.String(), traceTitle), " ") // without the time
	if want := `< text "bye\n"` + "\n"; got != want {
		t.Errorf("trace = %q, want %q", got, want)
	}
}
