package sim

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What MCUboot itself did with a flash is in testdata/mcuboot, recorded by oracle_test.go; see the README there. The
// tests of this file let the virtual bootloader do the same, and compare every byte of the flash afterwards.

const (
	recordedDir  = "../../testdata/mcuboot"
	recordedSlot = 16 * Sector
)

// recordedModes are the builds of MCUboot that were recorded.
var recordedModes = map[string]Mode{
	"swap-move": Swap, "swap-offset": SwapOffset, "overwrite": Overwrite,
	"direct-xip": DirectXIP, "direct-xip-revert": DirectXIPRevert, "ram-load": RAMLoad,
}

// recordedStock are the images, by name, and the key of the signed ones (SubjectPublicKeyInfo).
type recordedStock struct {
	Key    []byte            `json:"key"`
	Images map[string][]byte `json:"images"`
}

// recordedTable has the answers for all states of two trailers, with an image in each slot.
type recordedTable struct {
	Mode    string `json:"mode"`
	A       string `json:"a"`       // image in slot 0; "": none
	B       string `json:"b"`       // in slot 1
	At      int    `json:"at"`      // where it starts
	Answers string `json:"answers"` // of trailer states 0 to 27*27-1, blanks between
}

// recordedMark is what boot_set_next does with a slot.
type recordedMark struct {
	Mode            string
	State           int // of the trailer
	Active, Confirm bool
	OK              bool
	After           string // checksum of the slot
}

// recordedHistory is the history of a device: what is done to it, and the answer of every boot.
type recordedHistory struct {
	Mode    string   `json:"mode"`
	Setup   string   `json:"setup"` // "plain", "signed", "two", "older" (refuses downgrades)
	Deeds   []string `json:"deeds"`
	Answers []string `json:"answers"`
}

// readRecorded reads JSON documents from a compressed file.
func readRecorded[T any](t testing.TB, name string) (list []T) {
	t.Helper()
	f, err := os.Open(filepath.Join(recordedDir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(z); ; {
		var v T
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(b, castagnoli)) }

// answerOf puts the outcome of a boot in the words of a recording: "boot/0/1f0c2d3e" for the slots that run and a
// checksum of the flash, "fail/…" if nothing boots, "assert/…", "hang/…" or "cut/…".
func answerOf(out outcome, mem []byte) string {
	word := "boot"
	switch {
	case out.cut:
		word = "cut"
	case strings.HasSuffix(out.stuck, "without an end"):
		word = "hang"
	case out.stuck != "":
		word = "assert"
	case out.run[0] < 0:
		word = "fail"
	default:
		for _, run := range out.run {
			word += "/" + strconv.Itoa(run)
		}
	}
	return word + "/" + checksum(mem)
}

// fillRecorded makes the flash of an entry of the table.
func fillRecorded(mem []byte, a, b []byte, at, state int) {
	fill(mem, erased)
	copy(mem, a)
	copy(mem[recordedSlot+at:], b)
	scribbleTrailer(mem[:recordedSlot], state%27)
	scribbleTrailer(mem[recordedSlot:], state/27)
}

// scribbleTrailer puts a trailer in one of its 27 states: magic, image_ok and copy_done erased, right or wrong.
func scribbleTrailer(slot []byte, state int) {
	end := len(slot)
	copy(slot[end-magicFromEnd:], []string{"", bootMagic, strings.Repeat("Z", magicFromEnd)}[state%3])
	copy(slot[end-imageOKFromEnd:], []string{"", "\x01", "B"}[state/3%3])
	copy(slot[end-copyDoneFromEnd:], []string{"", "\x01", "B"}[state/9])
}

// TestMCUbootTrailers boots from every state of both trailers.
func TestMCUbootTrailers(t *testing.T) {
	stock := readRecorded[recordedStock](t, "images.json.gz")[0]
	boots := map[string]int{}
	mem := make([]byte, 2*recordedSlot)
	for _, table := range readRecorded[recordedTable](t, "trailers.jsonl.gz") {
		mode := recordedModes[table.Mode]
		for state, want := range strings.Fields(table.Answers) {
			fillRecorded(mem, stock.Images[table.A], stock.Images[table.B], table.At, state)
			l := &loader{rules: rules{mode: mode}, validator: validator{mode: mode}, size: recordedSlot, mem: mem}
			if got := answerOf(l.run(), mem); got != want {
				t.Errorf("%s: slot 0 %q in state %d, slot 1 %q at %d in state %d: %s, MCUboot %s\n%q",
					table.Mode, table.A, state%27, table.B, table.At, state/27, got, want, l.words)
			}
			boots[table.Mode]++
		}
	}
	t.Log("boots compared: ", boots)
	for name := range recordedModes {
		if boots[name] < 16*27*27 {
			t.Errorf("%s: %d boots were compared, want all states", name, boots[name])
		}
	}
}

// TestMCUbootMarks marks slots for the next boot.
func TestMCUbootMarks(t *testing.T) {
	stock := readRecorded[recordedStock](t, "images.json.gz")[0]
	list := readRecorded[recordedMark](t, "marks.jsonl.gz")
	if len(list) != len(recordedModes)*27*4 {
		t.Errorf("%d marks are recorded, want all", len(list))
	}
	for _, m := range list {
		b := newBoard(t, m.Mode, "plain", stock)
		if ok, after := b.mark(stock, m); ok != m.OK || after != m.After {
			t.Errorf("%s: state %d, active %t, confirm %t: %t %s, MCUboot %t %s",
				m.Mode, m.State, m.Active, m.Confirm, ok, after, m.OK, m.After)
		}
	}
}

// mark does what the entry says, and gives a checksum of the slot.
func (b *board) mark(stock recordedStock, m recordedMark) (ok bool, after string) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	slot := markedSlot(m)
	mem := b.d.flash.slot(slot)
	fill(mem, erased)
	copy(mem, stock.Images[b.name("v2", 0)])
	scribbleTrailer(mem, m.State)
	rc := b.d.writeSelection(slot, m.Active, m.Confirm)
	return rc == 0, checksum(mem)
}

func markedSlot(m recordedMark) int {
	if m.Active {
		return 0
	}
	return 1
}

// TestMCUbootHistories goes through recorded histories.
func TestMCUbootHistories(t *testing.T) {
	stock := readRecorded[recordedStock](t, "images.json.gz")[0]
	boots, boards := map[string]int{}, map[string]*board{}
	for n, h := range readRecorded[recordedHistory](t, "histories.jsonl.gz") {
		kind := h.Mode + " " + h.Setup
		b := boards[kind]
		if b == nil {
			b = newBoard(t, h.Mode, h.Setup, stock)
			boards[kind] = b
		}
		b.fresh()
		var got []string
		for _, deed := range h.Deeds {
			if answer := b.do(deed); answer != "" {
				got = append(got, answer)
			}
			if i := len(got); i > len(h.Answers) || i > 0 && got[i-1] != h.Answers[i-1] {
				t.Errorf("history %d, %s: boot %d: %s, MCUboot %v\n%v", n, kind, i, got[i-1], h.Answers, h.Deeds)
				break
			}
		}
		boots[h.Mode] += len(got)
	}
	t.Log("boots compared: ", boots)
	for name := range recordedModes {
		if boots[name] < 500 {
			t.Errorf("%s: %d boots were compared, want hundreds", name, boots[name])
		}
	}
}
