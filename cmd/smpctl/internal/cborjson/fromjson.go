package cborjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"

	"github.com/fxamacker/cbor/v2"
	"github.com/smpctl/smpctl/internal/cborhead"
)

// maxDepth is how deep values may be nested, as in answers of known commands.
const maxDepth = 8

// hexKey marks a JSON object that stands for bytes.
const hexKey = "$hex"

// FromJSON encodes one JSON value as CBOR: whole numbers as integers, others as floats of 8 bytes, {"$hex":"…"} as
// bytes, keys in their order.
func FromJSON(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	w := jsonReader{d: d}
	if err := w.value(0); err != nil {
		return nil, explainJSON(err, text[min(d.InputOffset(), int64(len(text))):])
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return w.out.Bytes(), nil
}

// explainJSON says where a text is no JSON: rest is what the reader could not make sense of.
func explainJSON(err error, rest []byte) error {
	const most = 24 // characters of it
	var syntax *json.SyntaxError
	switch {
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON value ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON from here on: %.*s", most, bytes.TrimSpace(rest))
	}
	return err
}

// jsonReader turns tokens into bytes of CBOR.
type jsonReader struct {
	d   *json.Decoder
	out bytes.Buffer
}

func (r *jsonReader) value(depth int) error {
	t, err := r.d.Token()
	if err != nil {
		return err
	}
	switch v := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return fmt.Errorf("more than %d levels", maxDepth)
		}
		if v == '[' {
			return r.list(depth + 1)
		}
		return r.object(depth + 1)
	case json.Number:
		return r.number(v)
	}
	return r.encode(t) // text, bool, nil
}

func (r *jsonReader) encode(v any) error {
	b, err := cbor.Marshal(v)
	r.out.Write(b)
	return err
}

func (r *jsonReader) number(n json.Number) error {
	if i, ok := new(big.Int).SetString(n.String(), 10); ok {
		if !i.IsUint64() && !i.IsInt64() {
			return fmt.Errorf("%s does not fit 64 bits", n)
		}
		if i.IsUint64() {
			return r.encode(i.Uint64())
		}
		return r.encode(i.Int64())
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return fmt.Errorf("%s is out of range", n)
	}
	return r.encode(f)
}

// Indefinite lengths would save counting, but some servers refuse them.
func (r *jsonReader) list(depth int) error {
	n, elements, err := r.collect(depth)
	if err != nil {
		return err
	}
	r.out.Write(append(cborhead.Append(nil, cborhead.Array, uint64(n)), elements...))
	return nil
}

// collect reads values up to the end of the list or object.
func (r *jsonReader) collect(depth int) (n int, encoded []byte, err error) {
	inner := jsonReader{d: r.d}
	for ; r.d.More(); n++ {
		if err := inner.value(depth); err != nil {
			return 0, nil, err
		}
	}
	_, err = r.d.Token()
	return n, inner.out.Bytes(), err
}

func (r *jsonReader) object(depth int) error {
	inner := jsonReader{d: r.d}
	seen := map[string]bool{}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return err
		}
		key := t.(string) // a decoder gives nothing else here
		if seen[key] {
			return fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		if key == hexKey {
			return r.bytes(len(seen) == 1)
		}
		if err := inner.encode(key); err != nil {
			return err
		}
		if err := inner.value(depth); err != nil {
			return err
		}
	}
	r.out.Write(append(cborhead.Append(nil, cborhead.Map, uint64(len(seen))), inner.out.Bytes()...))
	_, err := r.d.Token()
	return err
}

// bytes reads the rest of {"$hex":"…"}.
func (r *jsonReader) bytes(alone bool) error {
	t, err := r.d.Token()
	if err != nil {
		return err
	}
	digits, isText := t.(string)
	b, err := hex.DecodeString(digits)
	if !alone || !isText || err != nil || r.d.More() {
		return fmt.Errorf("want bytes as {%q:\"00ff\"}, with nothing else in the braces", hexKey)
	}
	if _, err := r.d.Token(); err != nil {
		return err
	}
	return r.encode(b)
}
