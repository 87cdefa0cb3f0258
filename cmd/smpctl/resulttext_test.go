package main

import (
	"bytes"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// TestTextFailsOnlyToWrite holds that a result is the same in text and in JSON: whether a command succeeded is settled
// before one is printed, and with --json nobody asks Text.
func TestTextFailsOnlyToWrite(t *testing.T) {
	for _, d := range jsonDocuments() {
		r, ok := d.document.(result)
		if !ok {
			continue
		}
		typ := reflect.TypeOf(r)
		for what, v := range map[string]reflect.Value{"empty": reflect.Zero(typ), "full": filled(typ, 8)} {
			r := v.Interface().(result)
			if err := r.Text(&bytes.Buffer{}); err != nil {
				t.Errorf("%s, %s: Text: %v", typ.Name(), what, err)
			}
			if err := r.Text(brokenWriter{}); err != nil && !errors.Is(err, errBrokenWriter) {
				t.Errorf("%s, %s: Text to where nothing can be written: %v", typ.Name(), what, err)
			}
		}
	}
}

// A device that lists no slots has given an answer: the command succeeded in text as it does in JSON.
func TestNoSlotsIsAnAnswer(t *testing.T) {
	port := serveReplies(t, []byte("\xa1\x66images\x80")) // {"images": []}
	for form, want := range map[string]string{"--json=false": "the device lists no slots\n",
		"--json": `{"images":[]}` + "\n"} {
		if got := runLine(t, "-p", port, "image", "slots", form); got != (outcome{0, want, ""}) {
			t.Errorf("image slots %s: %+v, want 0 and %q", form, got, want)
		}
	}
}

// serveReplies is a device that gives the same answer to every request.
func serveReplies(t *testing.T, body []byte) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			socket, err := l.Accept()
			if err != nil {
				return
			}
			go answerAll(transport.NewConn(socket, transport.Options{}), body)
		}
	}()
	return "tcp:" + l.Addr().String()
}

func answerAll(c *transport.Conn, body []byte) {
	defer c.Close()
	for {
		p, err := c.ReadPacket()
		if err != nil {
			return
		}
		h, _, err := smp.ParseHeader(p)
		if err != nil {
			return
		}
		h.Op, h.Length = h.Op+1, uint16(len(body))
		if c.WritePacket(append(h.Append(nil), body...)) != nil {
			return
		}
	}
}

var errBrokenWriter = errors.New("nothing can be written here")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBrokenWriter }

// filled is a value of a type with something in every field, exported or not, down to a depth: ones, and two elements
// in each list, so that 1 is the index of one.
func filled(t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	if depth == 0 {
		return v
	}
	switch t.Kind() {
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return reflect.ValueOf(time.Unix(1e9, 0))
		}
		for i := range t.NumField() {
			f := v.Field(i)
			reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().Set(filled(f.Type(), depth-1))
		}
	case reflect.Slice:
		return reflect.Append(v, filled(t.Elem(), depth-1), filled(t.Elem(), depth-1))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(filled(t.Key(), depth-1), filled(t.Elem(), depth-1))
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(filled(t.Elem(), depth-1))
	case reflect.String:
		v.SetString(strings.Repeat("6f", 32)) // a hash, where one is wanted
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		if v.CanInt() {
			v.SetInt(1)
		} else if v.CanUint() {
			v.SetUint(1)
		}
	}
	return v
}
