package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/fxamacker/cbor/v2"
)

// rawDecode checks what a device sent, before anything walks through it: whole, and bounded in depth and numbers.
var rawDecode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		MaxNestedLevels: maxDepth, MaxArrayElements: 1 << 16, MaxMapPairs: 1 << 16, UTF8: cbor.UTF8DecodeInvalid,
	}.DecMode()
	if err != nil {
		panic("smpctl: " + err.Error())
	}
	return mode
}()

var rawDiagnose = func() cbor.DiagMode {
	mode, err := cbor.DiagOptions{MaxNestedLevels: maxDepth, MaxArrayElements: 1 << 16, MaxMapPairs: 1 << 16}.DiagMode()
	if err != nil {
		panic("smpctl: " + err.Error())
	}
	return mode
}()

// cborToDiagnostic writes one CBOR value in diagnostic notation (RFC 8949, section 8).
func cborToDiagnostic(b []byte) (string, error) {
	if len(b) == 0 {
		return "", errNoPayload
	}
	return rawDiagnose.Diagnose(b)
}

var errNoPayload = errors.New("no payload")

// cborToJSON writes one CBOR value as JSON, keys in their order: bytes as {"$hex":"…"}, a tag as {"$tag":n,"value":…}, what JSON has no number for
// as {"$float":"…"}, a simple value as {"$simple":n}. A key that is no text becomes its JSON as text.
func cborToJSON(b []byte) (json.RawMessage, error) {
	if len(b) == 0 {
		return nil, errNoPayload
	}
	if err := rawDecode.Wellformed(b); err != nil {
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

// Major types and simple values (RFC 8949, sections 3.1 and 3.3).
const (
	majorNegative = 1
	majorBytes    = 2
	majorText     = 3
	majorList     = 4
	majorMap      = 5
	majorTag      = 6
	majorSimple   = 7

	indefinite = 31
	breakCode  = 0xff

	simpleFalse, simpleTrue, simpleNull, simpleUndefined = 20, 21, 22, 23
	simpleHalf, simpleFloat, simpleDouble                = 25, 26, 27
)

// head reads the first bytes of a value: major type, its additional information, and the argument.
func (w *cborWalker) head() (major, info byte, n uint64) {
	first := w.rest[0]
	major, info, w.rest = first>>5, first&31, w.rest[1:]
	size := 0
	switch {
	case info < 24:
		return major, info, uint64(info)
	case info <= 27:
		size = 1 << (info - 24)
	}
	var eight [8]byte
	copy(eight[8-size:], w.rest[:size])
	w.rest = w.rest[size:]
	return major, info, binary.BigEndian.Uint64(eight[:])
}

func (w *cborWalker) value() {
	major, info, n := w.head()
	switch major {
	case majorNegative:
		if n == math.MaxUint64 {
			w.out.WriteString("-18446744073709551616")
			return
		}
		w.out.WriteString("-" + strconv.FormatUint(n+1, 10))
	case majorBytes:
		fmt.Fprintf(&w.out, `{%q:"%s"}`, hexKey, hex.EncodeToString(w.bytes(info, n)))
	case majorText:
		w.text(w.bytes(info, n))
	case majorList:
		w.list(info, n)
	case majorMap:
		w.object(info, n)
	case majorTag:
		fmt.Fprintf(&w.out, `{"$tag":%d,"value":`, n)
		w.value()
		w.out.WriteByte('}')
	case majorSimple:
		w.simple(info, n)
	default:
		w.out.WriteString(strconv.FormatUint(n, 10))
	}
}

// bytes reads the content of a string, in pieces if its length is indefinite.
func (w *cborWalker) bytes(info byte, n uint64) []byte {
	if info != indefinite {
		b := w.rest[:n]
		w.rest = w.rest[n:]
		return b
	}
	var all []byte
	for !w.ends() {
		_, info, n := w.head()
		all = append(all, w.bytes(info, n)...)
	}
	return all
}

// ends reports whether a value of indefinite length ends here, and steps over its end.
func (w *cborWalker) ends() bool {
	if w.rest[0] != breakCode {
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
func (w *cborWalker) more(info byte, n, i uint64) bool {
	if info == indefinite && w.ends() || info != indefinite && i == n {
		return false
	}
	if i > 0 {
		w.out.WriteByte(',')
	}
	return true
}

func (w *cborWalker) list(info byte, n uint64) {
	w.out.WriteByte('[')
	for i := uint64(0); w.more(info, n, i); i++ {
		w.value()
	}
	w.out.WriteByte(']')
}

func (w *cborWalker) object(info byte, n uint64) {
	w.out.WriteByte('{')
	for i := uint64(0); w.more(info, n, i); i++ {
		if w.rest[0]>>5 == majorText {
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

func (w *cborWalker) simple(info byte, n uint64) {
	switch {
	case info == simpleFalse:
		w.out.WriteString("false")
	case info == simpleTrue:
		w.out.WriteString("true")
	case info == simpleNull || info == simpleUndefined:
		w.out.WriteString("null")
	case info == simpleHalf:
		w.float(half(uint16(n)))
	case info == simpleFloat:
		w.float(float64(math.Float32frombits(uint32(n))))
	case info == simpleDouble:
		w.float(math.Float64frombits(n))
	default:
		fmt.Fprintf(&w.out, `{"$simple":%d}`, n)
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
