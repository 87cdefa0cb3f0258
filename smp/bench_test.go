package smp_test

import (
	"fmt"
	"testing"

	"github.com/smpctl/smpctl/smp"
)

// instant is a link to a device that answers within the write, from buffers that it made before: what is left is the
// cost of the client.
type instant struct {
	replies chan []byte
	packets [][]byte // used in turn; more of them than a client has requests in flight
	next    int
	closed  chan struct{}
}

func newInstant() *instant {
	l := &instant{replies: make(chan []byte, 64), packets: make([][]byte, 128), closed: make(chan struct{})}
	for i := range l.packets {
		l.packets[i] = make([]byte, 0, 64)
	}
	return l
}

func (l *instant) ReadPacket() ([]byte, error) {
	select {
	case p := <-l.replies:
		return p, nil
	case <-l.closed:
		return nil, errUnplugged
	}
}

// WritePacket answers an upload with the end of its chunk, a parameter request with large buffers, and an echo with
// "x".
func (l *instant) WritePacket(p []byte) error {
	a := append(l.packets[l.next][:0], p[:smp.HeaderLen]...)
	l.next = (l.next + 1) % len(l.packets)
	a[0]++
	switch commandOf(p) {
	case params:
		a = append(a, "\xbf\x68buf_size\x19\x02\x00\x69buf_count\x08\xff"...)
	case upload:
		end := chunkEnd(p)
		a = append(a, "\xbf\x62rc\x00\x63off\x1a"...)
		a = append(a, byte(end>>24), byte(end>>16), byte(end>>8), byte(end), 0xff)
	default:
		a = append(a, "\xbf\x61r\x61x\xff"...)
	}
	a[2], a[3] = 0, byte(len(a)-smp.HeaderLen)
	l.replies <- a
	return nil
}

func (l *instant) Overhead() int { return 4 }
func (l *instant) Close() error  { close(l.closed); return nil }

// chunkEnd reads offset and length of data out of a later chunk without a decoder: {"off": …, "data": …}. Of a first
// chunk only the length counts.
func chunkEnd(p []byte) int {
	b := p[smp.HeaderLen+1:]
	off := 0
	for len(b) > 0 {
		key := string(b[1 : 1+int(b[0]&31)])
		b = b[1+len(key):]
		n, size := head(b)
		switch key {
		case "off":
			off = n
		case "data":
			return off + n
		}
		b = b[size:]
		if key == "sha" {
			b = b[n:]
		}
	}
	return off
}

// head reads the number in the head of a CBOR item.
func head(b []byte) (n, size int) {
	switch info := b[0] & 31; info {
	case 24:
		return int(b[1]), 2
	case 25:
		return int(b[1])<<8 | int(b[2]), 3
	case 26:
		return int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4]), 5
	default:
		return int(info), 1
	}
}

// BenchmarkUpload counts what a chunk costs in the client: it should be the time of two context switches, and no
// memory.
func BenchmarkUpload(b *testing.B) {
	data := make([]byte, 1<<20)
	for _, window := range []int{1, 3, 7} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			c := smp.NewClient(newInstant(), smp.Options{Window: window})
			defer c.Close()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Image.Upload(b.Context(), data, smp.ImageUpload{}); err != nil {
					b.Fatal(err)
				}
			}
			const chunks = (1 << 20) / 480
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	c := smp.NewClient(newInstant(), smp.Options{})
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.OS.Echo(b.Context(), "x"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkList(b *testing.B) {
	body := encode(reply{"images": []reply{
		{"slot": 0, "version": "1.0.0", "hash": make([]byte, 32), "bootable": true, "pending": false, "confirmed": true,
			"active": true, "permanent": false},
		{"slot": 1, "version": "2.0.0", "hash": make([]byte, 32), "bootable": true, "pending": false,
			"confirmed": false, "active": false, "permanent": false},
	}, "splitStatus": 0})
	c, _ := settled(b, func(l *link, p []byte) { l.reply(response(p, body)) }, smp.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Image.List(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// A chunk costs no memory: what an upload allocates does not grow with the file.
func TestUploadAllocatesNothingPerChunk(t *testing.T) {
	c := smp.NewClient(newInstant(), smp.Options{Window: 3})
	defer c.Close()
	upload := func(chunks int) float64 {
		data := make([]byte, 480*chunks)
		return testing.AllocsPerRun(5, func() {
			if _, err := c.Image.Upload(t.Context(), data, smp.ImageUpload{}); err != nil {
				t.Error(err)
			}
		})
	}
	// The race detector empties the pools of the CBOR library at random.
	if few, many := upload(10), upload(1010); many-few > 500 {
		t.Errorf("%v allocations for 10 chunks, %v for 1010", few, many)
	}
}
