package clitest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/schema"
)

// Document is something that is written as JSON, and its keys: paths, with a question mark where one may be absent.
type Document struct {
	Document any
	Commands string // that print it, with commas between; empty if it is no result in JSON
	Event    string // that it is, on standard error
	Keys     string
}

// CheckResults holds the documents of the package under test to their keys and schemas, that none of its results is
// missing among them, and that their text is harmless to make: whether a command succeeded is settled before one is
// printed, and with --json nobody asks Text.
func CheckResults(t *testing.T, documents []Document) {
	t.Helper()
	pinned := map[string]bool{}
	for _, d := range documents {
		typ := reflect.TypeOf(d.Document)
		pinned[typ.Name()] = true
		t.Run(typ.Name(), func(t *testing.T) {
			if diff := cmp.Diff(strings.Fields(d.Keys), jsonKeys("", typ)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if _, ok := d.Document.(app.Result); ok {
				checkText(t, typ)
			}
		})
	}
	checkSchemas(t, documents)
	for _, name := range resultTypes(t) {
		if !pinned[name] {
			t.Errorf("%s is a result, but its keys are not pinned", name)
		}
	}
}

// checkSchemas holds the files of docs/schema against the documents: one for each command and event.
func checkSchemas(t *testing.T, documents []Document) {
	t.Helper()
	types := map[string][]reflect.Type{} // of each command
	for _, d := range documents {
		typ := reflect.TypeOf(d.Document)
		for command := range strings.SplitSeq(d.Commands, ", ") {
			types[command] = append(types[command], typ)
		}
		if d.Event != "" {
			schema.CompareEvent(t, d.Event, typ)
		}
	}
	delete(types, "")
	for command, of := range types {
		schema.Compare(t, schema.FileOf(command), "smpctl "+command+" --json", of...)
	}
}

// checkText has an empty and a full value of a type tell its text.
func checkText(t *testing.T, typ reflect.Type) {
	t.Helper()
	for what, v := range map[string]reflect.Value{"empty": reflect.Zero(typ), "full": filled(typ, 8)} {
		r := v.Interface().(app.Result)
		if err := r.Text(&bytes.Buffer{}); err != nil {
			t.Errorf("%s: Text: %v", what, err)
		}
		if err := r.Text(brokenWriter{}); err != nil && !errors.Is(err, errBrokenWriter) {
			t.Errorf("%s: Text to where nothing can be written: %v", what, err)
		}
	}
}

// jsonKeys lists the paths that encoding/json gives a type; a question mark is a key that may be absent. An error is
// the same everywhere, and is pinned in package app.
func jsonKeys(path string, t reflect.Type) []string {
	switch {
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return []string{path}
	case t == reflect.TypeFor[time.Time](), t == reflect.TypeFor[json.RawMessage](),
		path != "" && t == reflect.TypeFor[app.Failure]():
		return []string{path}
	case t.Kind() == reflect.Pointer:
		return jsonKeys(path, t.Elem())
	case t.Kind() == reflect.Slice:
		plain, optional := strings.CutSuffix(path, "?")
		if optional {
			return jsonKeys(plain+"[]?", t.Elem())
		}
		return jsonKeys(path+"[]", t.Elem())
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			keys = append(keys, jsonKeys(path, f.Type)...)
			continue
		case !f.IsExported(), tag == "-":
			continue
		case tag == "":
			tag = fmt.Sprintf("(field %s of %s has no key)", f.Name, t)
		}
		if options != "" {
			tag += "?"
		}
		if path != "" {
			tag = path + "." + tag
		}
		keys = append(keys, jsonKeys(tag, f.Type)...)
	}
	return keys
}

// resultTypes finds in the source every type with a method Text(io.Writer) error, and every event.
func resultTypes(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Text" && f.Name.Name != "event" {
				continue
			}
			if name, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
				names = append(names, name.Name)
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("no results found in the source")
	}
	slices.Sort(names)
	return names
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
