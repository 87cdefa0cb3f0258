// Package cborjson turns CBOR into JSON and into diagnostic notation, and JSON into CBOR.
package cborjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/internal/cborhead"
)

// strict checks what a device sent, before anything walks through it: whole, and bounded in depth and numbers.
var strict = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		MaxNestedLevels: maxDepth, MaxArrayElements: 1 << 16, MaxMapPairs: 1 << 16, UTF8: cbor.UTF8DecodeInvalid,
	}.DecMode()
	if err != nil {
		panic("smpctl: " + err.Error())
	}
	return mode
}()

var notation = func() cbor.DiagMode {
	mode, err := cbor.DiagOptions{MaxNestedLevels: maxDepth, MaxArrayElements: 1 << 16, MaxMapPairs: 1 << 16}.DiagMode()
	if err != nil {
		panic("smpctl: " + err.Error())
	}
	return mode
}()

// Diagnose writes one CBOR value in diagnostic notation (RFC 8949, section 8). What is not whole, or nested deeper than
// 8 levels, is an error.
func Diagnose(b []byte) (string, error) {
	if len(b) == 0 {
		return "", errNoPayload
	}
	return notation.Diagnose(b)
}

var errNoPayload = errors.New("no payload")

// ToJSON writes one CBOR value as JSON, keys in their order: bytes as {"$hex":"…"}, a tag as {"$tag":n,"value":…},
// what JSON has no number for as {"$float":"…"}, a simple value as {"$simple":n}. A key that is no text becomes its
// JSON as text.
func ToJSON(b []byte) (json.RawMessage, error) {
	if len(b) == 0 {
		return nil, errNoPayload
	}
	if err := strict.Wellformed(b); err != nil {
		return nil, err
	}
	w := cborWalker{rest: b}
	w.value()
	return w.out.Bytes(), nil
}

// cborWalker turns CBOR that is known to be well-formed into JSON.
type cborWalker struct {
	rest []byte
	out  bytes.Buffer
}

// Simple values (RFC 8949, section 3.3).
const simpleFalse, simpleTrue, simpleNull, simpleUndefined = 20, 21, 22, 23

// head reads the first bytes of a value.
func (w *cborWalker) head() (h cborhead.Head) {
	h, w.rest, _ = cborhead.Read(w.rest)
	return h
}

func (w *cborWalker) value() {
	h := w.head()
	switch h.Major {
	case cborhead.Negative:
		if h.N == math.MaxUint64 {
			w.out.WriteString("-18446744073709551616")
			return
		}
		w.out.WriteString("-" + strconv.FormatUint(h.N+1, 10))
	case cborhead.Bytes:
		fmt.Fprintf(&w.out, `{%q:"%s"}`, hexKey, hex.EncodeToString(w.bytes(h)))
	case cborhead.Text:
		w.text(w.bytes(h))
	case cborhead.Array:
		w.list(h)
	case cborhead.Map:
		w.object(h)
	case cborhead.Tag:
		fmt.Fprintf(&w.out, `{"$tag":%d,"value":`, h.N)
		w.value()
		w.out.WriteByte('}')
	case cborhead.Simple:
		w.simple(h)
	default:
		w.out.WriteString(strconv.FormatUint(h.N, 10))
	}
}

// bytes reads the content of a string, in pieces if its length is indefinite.
func (w *cborWalker) bytes(h cborhead.Head) []byte {
	if h.Info != cborhead.Indefinite {
		b := w.rest[:h.N]
		w.rest = w.rest[h.N:]
		return b
	}
	var all []byte
	for !w.ends() {
		all = append(all, w.bytes(w.head())...)
	}
	return all
}

// ends reports whether a value of indefinite length ends here, and steps over its end.
func (w *cborWalker) ends() bool {
	if w.rest[0] != cborhead.Break {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

func (w *cborWalker) text(b []byte) {
	e := json.NewEncoder(&w.out)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(b)) // cannot fail; bytes that are no UTF-8 become U+FFFD
	w.out.Truncate(w.out.Len() - 1)
}

// more reports whether there is an entry number i in a list or map, and writes the comma before it.
func (w *cborWalker) more(h cborhead.Head, i uint64) bool {
	if h.Info == cborhead.Indefinite && w.ends() || h.Info != cborhead.Indefinite && i == h.N {
		return false
	}
	if i > 0 {
		w.out.WriteByte(',')
	}
	return true
}

func (w *cborWalker) list(h cborhead.Head) {
	w.out.WriteByte('[')
	for i := uint64(0); w.more(h, i); i++ {
		w.value()
	}
	w.out.WriteByte(']')
}

func (w *cborWalker) object(h cborhead.Head) {
	w.out.WriteByte('{')
	for i := uint64(0); w.more(h, i); i++ {
		if cborhead.Major(w.rest[0]>>5) == cborhead.Text {
			w.value()
		} else {
			key := cborWalker{rest: w.rest}
			key.value()
			w.rest = key.rest
			w.text(key.out.Bytes())
		}
		w.out.WriteByte(':')
		w.value()
	}
	w.out.WriteByte('}')
}

func (w *cborWalker) simple(h cborhead.Head) {
	switch h.Info {
	case simpleFalse:
		w.out.WriteString("false")
	case simpleTrue:
		w.out.WriteString("true")
	case simpleNull, simpleUndefined:
		w.out.WriteString("null")
	case cborhead.Half:
		w.float(half(uint16(h.N)))
	case cborhead.Float:
		w.float(float64(math.Float32frombits(uint32(h.N))))
	case cborhead.Double:
		w.float(math.Float64frombits(h.N))
	default:
		fmt.Fprintf(&w.out, `{"$simple":%d}`, h.N)
	}
}

func (w *cborWalker) float(f float64) {
	if b, err := json.Marshal(f); err == nil {
		w.out.Write(b)
		if !bytes.ContainsAny(b, ".e") {
			w.out.WriteString(".0") // to tell it from an integer
		}
		return
	}
	fmt.Fprintf(&w.out, `{"$float":%q}`, strconv.FormatFloat(f, 'g', -1, 64))
}

// half is the value of a float of 2 bytes (RFC 8949, appendix D).
func half(bits uint16) float64 {
	mantissa, exponent := float64(bits&0x3ff), int(bits>>10&0x1f)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(mantissa, -24)
	case 31:
		f = math.Inf(1)
		if mantissa != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(mantissa+1024, exponent-25)
	}
	if bits>>15 != 0 {
		f = -f
	}
	return f
}
