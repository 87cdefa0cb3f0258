package sim

import "encoding/binary"

// cborWriter builds CBOR as Zephyr's encoder does: maps and lists of indefinite length, shortest integers
// (zcbor without ZCBOR_CANONICAL, RFC 8949). It is written by hand so that the device and the client, which uses a
// library, cannot share a mistake.
type cborWriter struct{ b []byte }

func (w *cborWriter) openMap()  { w.b = append(w.b, 0xbf) }
func (w *cborWriter) openList() { w.b = append(w.b, 0x9f) }
func (w *cborWriter) close()    { w.b = append(w.b, 0xff) }

func (w *cborWriter) text(s string) { w.b = append(w.head(3, uint64(len(s))), s...) }

func (w *cborWriter) bytes(p []byte) { w.b = append(w.head(2, uint64(len(p))), p...) }

func (w *cborWriter) uint(n uint64) { w.b = w.head(0, n) }

func (w *cborWriter) int(n int64) {
	if n < 0 {
		w.b = w.head(1, uint64(-1-n))
		return
	}
	w.uint(uint64(n))
}

func (w *cborWriter) bool(v bool) {
	if v {
		w.b = append(w.b, 0xf5)
		return
	}
	w.b = append(w.b, 0xf4)
}

// head appends the first bytes of an item: major type and argument in the shortest form.
func (w *cborWriter) head(major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(w.b, major|byte(n))
	case n < 1<<8:
		return append(w.b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(w.b, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(w.b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(w.b, major|27), n)
}
