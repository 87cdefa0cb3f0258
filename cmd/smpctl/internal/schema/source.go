package schema

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// module is the path of this module, which begins that of every package whose comments can be read.
const module = "github.com/smpctl/smpctl/"

// Root is the folder of the module, above the one in which a test runs.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}

// source is what the Go files of one package say of its types.
type source struct {
	types  map[string]string            // comment of each type
	fields map[string]map[string]string // comments of the fields of each struct
	values map[string][]value           // constants of each type of texts
}

// value is one of the constants of a type.
type value struct{ text, comment string }

var (
	sourcesMu sync.Mutex
	sources   = map[string]*source{}
)

// sourceOf reads the package of a type; it is empty for a package that is not ours.
func sourceOf(t reflect.Type) (*source, error) {
	sourcesMu.Lock()
	defer sourcesMu.Unlock()
	path := t.PkgPath()
	if s, ok := sources[path]; ok {
		return s, nil
	}
	s := &source{map[string]string{}, map[string]map[string]string{}, map[string][]value{}}
	folder, ours := strings.CutPrefix(path, module)
	if ours {
		root, err := Root()
		if err != nil {
			return nil, err
		}
		if err := s.read(filepath.Join(root, filepath.FromSlash(folder))); err != nil {
			return nil, err
		}
	}
	sources[path] = s
	return s, nil
}

func (s *source) read(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				s.declaration(d)
			}
		}
	}
	return nil
}

func (s *source) declaration(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := spec.Name.Name
			s.types[name] = comment(name, spec.Doc, d.Doc)
			if fields, ok := spec.Type.(*ast.StructType); ok {
				s.fields[name] = fieldComments(fields)
			}
		case *ast.ValueSpec:
			typ, ok := spec.Type.(*ast.Ident)
			if !ok || d.Tok != token.CONST || len(spec.Values) != 1 {
				continue
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				continue
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && text != "" {
				v := value{text, comment(spec.Names[0].Name, spec.Doc, spec.Comment)}
				s.values[typ.Name] = append(s.values[typ.Name], v)
			}
		}
	}
}

func fieldComments(t *ast.StructType) map[string]string {
	comments := map[string]string{}
	for _, f := range t.Fields.List {
		for _, name := range f.Names {
			comments[name.Name] = comment(name.Name, f.Doc, f.Comment)
		}
	}
	return comments
}

// comment is the text of the first comment that there is, without the Go name that begins it.
func comment(name string, groups ...*ast.CommentGroup) string {
	i := slices.IndexFunc(groups, func(g *ast.CommentGroup) bool { return g != nil })
	if i < 0 {
		return ""
	}
	text := strings.Join(strings.Fields(groups[i].Text()), " ")
	if rest, ok := strings.CutPrefix(text, name+" "); ok {
		text = strings.TrimPrefix(strings.TrimPrefix(rest, "is "), "are ")
	}
	return link.ReplaceAllStringFunc(strings.TrimSuffix(text, "."), func(name string) string {
		return strings.ToLower(strings.Trim(name[strings.LastIndexByte(name, '.')+1:], "[]"))
	})
}

// link is how a Go comment names something that has one of its own.
var link = regexp.MustCompile(`\[[A-Za-z.]+\]`)
