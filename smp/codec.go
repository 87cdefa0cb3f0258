package smp

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/smpctl/smpctl/internal/cborhead"
)

// maxNesting is deeper than any known reply: the image list has four levels.
const maxNesting = 8

// Limits for arrays and maps in a reply. A reply fits a packet of at most 64 KiB, so these only stop nonsense early.
const (
	maxArray = 4096
	maxMap   = 1024
)

var (
	encMode = must(cbor.EncOptions{Sort: cbor.SortLengthFirst}.UserBufferEncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthAllowed, // Zephyr sends bf … ff
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  maxArray,
		MaxMapPairs:       maxMap,
		UTF8:              cbor.UTF8DecodeInvalid, // a thread name may be cut in the middle of a character
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		NaN:               cbor.NaNDecodeForbidden,
		Inf:               cbor.InfDecodeForbidden,
	}.DecMode())
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic("smp: cbor options: " + err.Error())
	}
	return mode
}

// isMap reports whether b begins with a CBOR map (RFC 8949, major type 5). The decoder alone would take a bare null for
// an empty reply.
func isMap(b []byte) bool { return len(b) > 0 && cborhead.Major(b[0]>>5) == cborhead.Map }

// wellFormed reports whether b is one item of CBOR, whatever it means.
func wellFormed(b []byte) bool { return decMode.Wellformed(b) == nil }

// decode reads the one CBOR map in b into v, a pointer to a struct. After an error v may be partly filled.
func decode(b []byte, v any) error {
	if len(b) == 0 {
		return errors.New("reply without payload")
	}
	if !isMap(b) {
		return fmt.Errorf("payload is no CBOR map (first byte %#02x)", b[0])
	}
	return decMode.Unmarshal(b, v)
}

// appendCBOR appends the encoding of v, a request map, to the buffer.
func appendCBOR(buf *bytes.Buffer, v any) error { return encMode.MarshalToBuffer(v, buf) }

// pairs walks the map in b and calls f with each key and the raw bytes of its value. Unlike a Go map it keeps the order
// and keys that repeat, as thread names do.
func pairs(b []byte, f func(key string, value cbor.RawMessage) error) error {
	if !isMap(b) {
		return errors.New("not a CBOR map")
	}
	n, rest, err := mapHead(b)
	if err != nil {
		return err
	}
	for i := 0; i != n; i++ {
		if n < 0 && len(rest) > 0 && rest[0] == cborhead.Break {
			return nil
		}
		if i >= maxMap {
			return fmt.Errorf("map of more than %d entries", maxMap)
		}
		var key string
		var value cbor.RawMessage
		if rest, err = decMode.UnmarshalFirst(rest, &key); err != nil {
			return err
		}
		if rest, err = decMode.UnmarshalFirst(rest, &value); err != nil {
			return err
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// mapHead reads the head of a map: the number of pairs, -1 for a map of indefinite length.
func mapHead(b []byte) (n int, rest []byte, err error) {
	h, rest, ok := cborhead.Read(b)
	switch {
	case !ok || h.N > maxPayload:
		return 0, nil, errors.New("map head not usable")
	case h.Info == cborhead.Indefinite:
		return -1, rest, nil
	}
	return int(h.N), rest, nil
}

// textOrBytes takes a text string where bytes belong: Mynewt sends settings and log messages so, and some devices
// hashes.
type textOrBytes []byte

// UnmarshalCBOR looks at the type.
func (v *textOrBytes) UnmarshalCBOR(b []byte) error {
	if len(b) == 0 || cborhead.Major(b[0]>>5) != cborhead.Text {
		return decMode.Unmarshal(b, (*[]byte)(v))
	}
	var s string
	err := decMode.Unmarshal(b, &s)
	*v = []byte(s)
	return err
}
