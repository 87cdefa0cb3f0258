package sim

import "github.com/smpctl/smpctl/internal/cborhead"

// cborWriter builds CBOR as Zephyr's encoder does: maps and lists of indefinite length, shortest integers
// (zcbor without ZCBOR_CANONICAL, RFC 8949). The client uses a library, so the two cannot share a mistake.
type cborWriter struct{ b []byte }

func (w *cborWriter) openMap()  { w.b = append(w.b, 0xbf) }
func (w *cborWriter) openList() { w.b = append(w.b, 0x9f) }
func (w *cborWriter) close()    { w.b = append(w.b, cborhead.Break) }

func (w *cborWriter) text(s string) {
	w.b = append(cborhead.Append(w.b, cborhead.Text, uint64(len(s))), s...)
}

func (w *cborWriter) bytes(p []byte) {
	w.b = append(cborhead.Append(w.b, cborhead.Bytes, uint64(len(p))), p...)
}

func (w *cborWriter) uint(n uint64) { w.b = cborhead.Append(w.b, cborhead.Unsigned, n) }

func (w *cborWriter) int(n int64) {
	if n < 0 {
		w.b = cborhead.Append(w.b, cborhead.Negative, uint64(-1-n))
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
