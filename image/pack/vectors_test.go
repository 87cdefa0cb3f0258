package pack_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/pack"
)

const testdata = "../../testdata"

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// kindOf returns the label of an error, and "" for nil.
func kindOf(t testing.TB, err error) image.Kind {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *image.Error
	if !errors.As(err, &e) {
		t.Fatalf("error of type %T (%v), want *image.Error", err, err)
	}
	if e.Detail == "" || strings.ContainsFunc(e.Detail, func(r rune) bool { return r < ' ' }) {
		t.Fatalf("error %#v: no detail, or one of several lines", e)
	}
	return e.Kind
}

// packageVector is an entry of packages.json, described in the README beside it.
type packageVector struct {
	File, Expect string
	Manifest     struct {
		Files []map[string]any
	}
	Members []struct {
		Name, SHA256 string
		Size         int
	}
	Images []struct {
		ID, Size int
		SHA256   string
	}
}

func vectors(t testing.TB) []packageVector {
	t.Helper()
	var all struct{ Packages []packageVector }
	if err := json.Unmarshal(readFile(t, "package/packages.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Packages) != 12 {
		t.Fatalf("%d packages, want 12", len(all.Packages))
	}
	return all.Packages
}

func TestVectors(t *testing.T) {
	refused := map[string]image.Kind{
		"reject: member missing":      pack.ErrMemberMissing,
		"reject: no manifest":         pack.ErrNoManifest,
		"reject: manifest unreadable": pack.ErrBadManifest,
		"reject: unsafe member name":  pack.ErrUnsafeName,
	}
	for _, v := range vectors(t) {
		t.Run(v.File, func(t *testing.T) {
			p, err := pack.Parse(readFile(t, "package/"+v.File))
			if kind, ok := refused[v.Expect]; ok {
				if got := kindOf(t, err); got != kind {
					t.Errorf("Parse = %q (%v), want %q", got, err, kind)
				}
				return
			}
			if err != nil || !strings.HasPrefix(v.Expect, "valid") {
				t.Fatalf("Parse: %v, expected by the vectors: %s", err, v.Expect)
			}
			if diff := cmp.Diff(v.facts(t), facts(p)); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			for _, m := range p.Members {
				img, err := m.Load()
				if err != nil {
					t.Fatalf("%s: %v", m.Name, err)
				}
				if err := img.CheckHash(); err != nil {
					t.Errorf("%s: %v", m.Name, err)
				}
				if list := m.Differs(img); len(list) > 0 {
					t.Errorf("%s: %q", m.Name, list)
				}
			}
			if len(p.Warnings) > 0 {
				t.Errorf("warnings: %q", p.Warnings)
			}
		})
	}
}

// facts describes each member in a line.
func facts(p *pack.Package) (list []string) {
	for _, m := range p.Members {
		sum := sha256.Sum256(m.Data)
		list = append(list,
			fmt.Sprintf("%s image=%d slot=%d load=%d version=%s %d %s",
				m.Name, m.Image, m.Slot, m.LoadAddress, m.Version, len(m.Data), hex.EncodeToString(sum[:])))
	}
	return list
}

func (v packageVector) facts(t *testing.T) (list []string) {
	for _, i := range v.Images {
		list = append(list,
			fmt.Sprintf("image-%d.bin image=%d slot=-1 load=0 version= %d %s", i.ID, i.ID, i.Size, i.SHA256))
	}
	for i, m := range v.Members {
		e := v.Manifest.Files[i]
		text := func(key, instead string) string {
			if value, ok := e[key]; ok {
				return fmt.Sprint(value)
			}
			return instead
		}
		list = append(list,
			fmt.Sprintf("%s image=%s slot=%s load=%.0f version=%s %d %s",
				m.Name, text("image_index", "0"), text("slot", "-1"),
				e["load_address"], text("version_MCUBOOT", text("version_MCUBOOT+XIP", "")), m.Size, m.SHA256))
	}
	return list
}

// TestRebuild writes what was read: a container byte for byte, an archive with the same members.
func TestRebuild(t *testing.T) {
	for _, v := range vectors(t) {
		file := readFile(t, "package/"+v.File)
		p, err := pack.Parse(file)
		if err != nil {
			continue
		}
		b, err := p.Bytes()
		if err != nil {
			t.Fatalf("%s: %v", v.File, err)
		}
		if p.Format == pack.MultiImage && string(b) != string(file) {
			t.Errorf("%s: the container is written differently", v.File)
		}
		again, err := pack.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(facts(p), facts(again)); diff != "" {
			t.Errorf("%s (-read +written):\n%s", v.File, diff)
		}
		if twice, err := again.Bytes(); err != nil || string(twice) != string(b) {
			t.Errorf("%s: written twice, it differs: %v", v.File, err)
		}
	}
}

// TestDiffers lets the manifest and an image linked for a fixed address disagree.
func TestDiffers(t *testing.T) {
	img, err := image.Load(readFile(t, "image/images/rom-fixed-slot1.bin"))
	if err != nil {
		t.Fatal(err)
	}
	h := img.Header
	right := pack.Member{Version: h.Version.String(), LoadAddress: uint64(h.LoadAddr) + uint64(h.HeaderSize)}
	if list := right.Differs(img); len(list) > 0 {
		t.Errorf("agreeing: %q", list)
	}
	wrong := pack.Member{Version: "9.9.9", LoadAddress: 1}
	if list := wrong.Differs(img); len(list) != 2 {
		t.Errorf("disagreeing: %q, want two", list)
	}
}
