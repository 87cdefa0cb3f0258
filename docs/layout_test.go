package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/smpctl/smpctl/"

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	room   = regexp.MustCompile("^\\| `([^`]+/)` \\|[^|]*\\|([^|]*)\\|$")
)

// TestLayout holds the names in layout.md against the code: `FOLDER/` and `FILE.go` exist, and of `FILE.go: NAME, …`
// the names are in that file, methods with their types.
func TestLayout(t *testing.T) {
	files, names := 0, 0
	for _, m := range quoted.FindAllStringSubmatch(read(t, "layout.md"), -1) {
		path, list, named := strings.Cut(m[1], ".go: ")
		switch {
		case named:
			declared := declarations(t, path+".go")
			for name := range strings.SplitSeq(list, ", ") {
				names++
				if !declared[name] {
					t.Errorf("%s.go has no %s", path, name)
				}
			}
		case strings.HasSuffix(path, "/"), strings.HasSuffix(path, ".go") && strings.Contains(path, "/"):
			files++
			if _, err := os.Stat(filepath.Join("..", path)); err != nil {
				t.Error(err)
			}
		}
	}
	if files < 30 || names < 60 {
		t.Errorf("only %d files and %d names found: the test does not read the document", files, names)
	}
}

// TestRooms compares the table of rooms with the packages of the module and what they import of it.
func TestRooms(t *testing.T) {
	said := map[string]string{}
	for line := range strings.Lines(read(t, "layout.md")) {
		if m := room.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			said[m[1]] = strings.ReplaceAll(strings.TrimSpace(m[2]), "`", "")
		}
	}
	found := rooms(t)
	for folder, imports := range found {
		if text, ok := said[folder]; !ok || text != imports {
			t.Errorf("%s imports %q, layout.md says %q", folder, imports, text)
		}
	}
	if len(found) < 10 {
		t.Errorf("only %d packages found", len(found))
	}
}

// rooms are the folders with Go code in this module, each with what it imports of it.
func rooms(t *testing.T) map[string]string {
	imports := map[string]map[string]bool{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		name := e.Name()
		if err != nil || e.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && name != "..") {
			return errOrSkip(err)
		}
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		dir, _ := filepath.Rel("..", filepath.Dir(path))
		dir = filepath.ToSlash(dir) + "/"
		if imports[dir] == nil {
			imports[dir] = map[string]bool{}
		}
		for _, s := range parse(t, path, parser.ImportsOnly).Imports {
			if of, ok := strings.CutPrefix(strings.Trim(s.Path.Value, `"`), module); ok {
				imports[dir][of] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for dir, set := range imports {
		found[dir] = strings.Join(slices.Sorted(maps.Keys(set)), ", ")
	}
	return found
}

func errOrSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// declarations are the names that a file declares at its top level: Func, Type, Type.Method, variables and constants.
func declarations(t *testing.T, path string) map[string]bool {
	names := map[string]bool{}
	for _, d := range parse(t, filepath.Join("..", path), parser.SkipObjectResolution).Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[receiver(d)+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}

// receiver is the type of a method with a dot, or nothing.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	if n, ok := typ.(*ast.Ident); ok {
		return n.Name + "."
	}
	return ""
}

func parse(t *testing.T, path string, mode parser.Mode) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
	if err != nil {
		t.Error(err)
		return &ast.File{}
	}
	return f
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
