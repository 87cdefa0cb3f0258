//go:build oracle

package sim

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
)

// These tests ask MCUboot itself, as programs that boot once from a flash in a file, and either compare or record. What
// programs they need and how to run them is in testdata/mcuboot/README.md.

var (
	record = flag.Bool("record", false, "write what MCUboot does to testdata/mcuboot")
	seed   = flag.Uint64("seed", 1, "of the histories")
	walks  = flag.Int("walks", 60, "histories of each kind")
	only   = flag.String("only", "", "one mode; empty: all")
)

// oracle is MCUboot in one build.
type oracle struct {
	t       testing.TB
	program string
	key     string // file
	file    string
	boots   int
	differ  int
}

func newOracle(t testing.TB, mode, setup string, stock recordedStock) *oracle {
	t.Helper()
	dir := os.Getenv("MCUBOOT_ORACLE")
	if dir == "" {
		t.Skip("MCUBOOT_ORACLE does not name a directory of programs")
	}
	images, sign, suffix := 1, "hash", ""
	o := &oracle{t: t, file: filepath.Join(t.TempDir(), "flash")}
	switch setup {
	case "two":
		images = 2
	case "older":
		suffix = "-nodown"
	case "signed":
		sign, o.key = "ec256", filepath.Join(t.TempDir(), "key.der")
		if err := os.WriteFile(o.key, stock.Key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.program = filepath.Join(dir, fmt.Sprintf("oracle-%s-%d-%s-%d%s", mode, images, sign, recordedSlot/Sector, suffix))
	return o
}

// verdict is what the program prints.
type verdict struct {
	Result  string `json:"result"`
	RC      int    `json:"rc"`
	Running []struct {
		Slot int `json:"slot"`
	} `json:"running"`
}

// run runs the program on a copy of mem and gives what it left.
func (o *oracle) run(mem []byte, more ...string) (v verdict, after []byte) {
	o.t.Helper()
	if err := os.WriteFile(o.file, mem, 0o600); err != nil {
		o.t.Fatal(err)
	}
	args := append([]string{"--slot-size", strconv.Itoa(recordedSlot)}, more...)
	if o.key != "" {
		args = append(args, "--key", o.key)
	}
	out, err := exec.CommandContext(o.t.Context(), o.program, append(args, o.file)...).Output()
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	if err == nil {
		after, err = os.ReadFile(o.file)
	}
	if err != nil {
		o.t.Fatalf("%s: %v: %s", o.program, err, out)
	}
	o.boots++
	return v, after
}

// boot boots and gives the answer in the words of a recording.
func (o *oracle) boot(mem []byte, cut int) (answer string, after []byte) {
	v, after := o.run(mem, "--cut", strconv.Itoa(cut))
	answer = v.Result
	for _, r := range v.Running {
		answer += "/" + strconv.Itoa(r.Slot)
	}
	return answer + "/" + checksum(after), after
}

// differs reports a disagreement.
func (o *oracle) differs(format string, args ...any) {
	if o.differ++; o.differ <= 5 {
		o.t.Errorf(format, args...)
	}
}

// ---- images ------------------------------------------------------------------------------------------------------

// stocked makes the images, or reads them if they are recorded already.
func stocked(t *testing.T) recordedStock {
	if !*record {
		return readRecorded[recordedStock](t, "images.json.gz")[0]
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := recordedStock{Images: map[string][]byte{}}
	if s.Key, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		t.Fatal(err)
	}
	for _, ram := range []int{-1, 0, 1} {
		s.add(t, ram, nil, nil)
		s.add(t, ram, key, other)
	}
	return s
}

// add makes the images for flash, or for a place in RAM, with or without signatures.
func (s recordedStock) add(t *testing.T, ram int, key, other crypto.Signer) {
	name := func(short string) string {
		if ram >= 0 {
			short += " ram" + strconv.Itoa(ram)
		}
		if key != nil {
			short += " signed"
		}
		return short
	}
	address := uint32(0)
	if ram >= 0 {
		address = ramStart + uint32(ram)<<20
	}
	build := func(version string, body int, o image.BuildOptions, by crypto.Signer) []byte {
		if o.LoadAddr == 0 && o.ROMFixed == 0 {
			o.LoadAddr = address
		}
		return buildRecorded(t, version, body, o, by)
	}
	plain := image.BuildOptions{}
	add := func(short string, file []byte) { s.Images[name(short)] = file }
	v2 := build("2.0.0", 9000, plain, key)
	add("v1", build("1.0.0", 3000+max(ram, 0), plain, key))
	add("v2", v2)
	add("v2b", build("2.0.0+7", 12000, plain, key))
	add("v3", build("3.0.0", 21000, plain, key))
	add("v0", build("0.9.0", 5000, plain, key))
	spoiled := bytes.Clone(v2)
	spoiled[200] ^= 1
	add("spoiled", spoiled)
	add("short", v2[:len(v2)-8])
	add("half", v2[:6000])
	add("header", v2[:32])
	add("junk", bytes.Repeat([]byte{0xa5}, 5000))
	data := build("3.0.0", 4000, image.BuildOptions{NonBootable: true}, key)
	add("data", data)
	for other := range 2 {
		for _, min := range []string{"1.0.0", "2.0.0", "9.0.0"} {
			v, err := image.ParseVersion(min)
			if err != nil {
				t.Fatal(err)
			}
			o := image.BuildOptions{Dependencies: []image.Dependency{{Image: uint8(other), Minimum: v}}}
			add(fmt.Sprintf("needs%d-%s", other, min), build("2.5.0", 6000, o, key))
		}
	}
	for n := range 4 {
		add(fmt.Sprintf("fixed%d", n),
			build("3.0.0", 7000, image.BuildOptions{ROMFixed: slotAddress(n, recordedSlot)}, key))
	}
	add("noload", buildRecorded(t, "3.0.0", 8000, plain, key))
	add("low", build("3.0.0", 8000, image.BuildOptions{LoadAddr: 0x1000}, key))
	add("high", build("3.0.0", 8000, image.BuildOptions{LoadAddr: ramStart + ramSize - 8000}, key))
	if key != nil {
		add("other", build("2.0.0", 8000, plain, other))
		add("unsigned", build("2.0.0", 7000, plain, nil))
		forged := bytes.Clone(v2)
		forged[len(forged)-3] ^= 1
		add("forged", forged)
		return
	}
	overhead := len(build("4.0.0", 1000, plain, nil)) - 1000
	most := recordedSlot - 2*Sector
	for short, size := range map[string]int{"full": most, "over": most + 1, "long": most + 3000,
		"huge": recordedSlot - swapInfoFromEnd} {
		add(short, build("4.0.0", size-overhead, plain, nil))
	}
}

// buildRecorded makes an image whose every kilobyte is different.
func buildRecorded(t *testing.T, version string, body int, o image.BuildOptions, key crypto.Signer) []byte {
	t.Helper()
	v, err := image.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	o.Version, o.PadHeader = v, true
	b := make([]byte, body)
	for i := range b {
		b[i] = byte(i>>10) ^ v.Major<<6 ^ byte(v.Build)
	}
	var public crypto.PublicKey
	if key != nil {
		public = key.Public()
	}
	u, err := image.Build(b, public, o)
	if err != nil {
		t.Fatal(err)
	}
	var file []byte
	if key == nil {
		file, err = u.Attach(nil)
	} else {
		file, err = image.Sign(u, key, rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// ---- what is compared --------------------------------------------------------------------------------------------

// loads are the images of the table.
var loads = []string{"", "v1", "v2", "spoiled"}

// oddLoads are compared in a part of the states, and not recorded.
var oddLoads = []string{"half", "short", "header", "junk", "data", "huge", "long", "over", "full"}

func askTables(t *testing.T, mode string, stock recordedStock, contents []string, stride int) (list []recordedTable) {
	o := newOracle(t, mode, "plain", stock)
	m := recordedModes[mode]
	mem := make([]byte, 2*recordedSlot)
	ats := []int{0}
	if m == SwapOffset {
		ats = append(ats, Sector)
	}
	b := &board{d: &Device{o: Options{Mode: m}}}
	name := func(short string) string {
		if short == "" {
			return ""
		}
		return b.name(short, 0)
	}
	n := 0
	for _, x := range contents {
		for _, y := range contents {
			for _, at := range ats {
				table := recordedTable{Mode: mode, A: name(x), B: name(y), At: at}
				var answers []string
				for state := range 27 * 27 {
					if n++; n%stride != 0 {
						continue
					}
					fillRecorded(mem, stock.Images[table.A], stock.Images[table.B], at, state)
					before := bytes.Clone(mem)
					l := &loader{rules: rules{mode: m}, validator: validator{mode: m}, size: recordedSlot, mem: mem}
					out := l.run()
					have := answerOf(out, mem)
					want, _ := o.boot(before, 0)
					if have != want && !(strays(out) && strings.HasPrefix(want, "assert")) {
						o.differs("%+v, states %d and %d: %s, MCUboot %s\n%q",
							table, state%27, state/27, have, want, l.words)
					}
					answers = append(answers, want)
				}
				table.Answers = strings.Join(answers, " ")
				list = append(list, table)
			}
		}
	}
	t.Logf("%s: %d boots, %d differ", mode, o.boots, o.differ)
	return list
}

// strays reports whether a swap that is larger than the slot, as only damage asks for, has stopped the bootloader.
// MCUboot has read beyond the end of its sector tables by then, and what it leaves is not the same twice.
func strays(out outcome) bool { return strings.HasSuffix(out.stuck, "outside of the slot") }

func askMarks(t *testing.T, mode string, stock recordedStock) (list []recordedMark) {
	o := newOracle(t, mode, "plain", stock)
	b := newBoard(t, mode, "plain", stock)
	digit := map[bool]string{false: "0", true: "1"}
	for state := range 27 {
		for n := range 4 {
			m := recordedMark{Mode: mode, State: state, Active: n&1 != 0, Confirm: n&2 != 0}
			slot := markedSlot(m)
			mem := bytes.Repeat([]byte{erased}, 2*recordedSlot)
			copy(mem[slot*recordedSlot:], stock.Images[b.name("v2", 0)])
			scribbleTrailer(mem[slot*recordedSlot:][:recordedSlot], state)
			v, after := o.run(mem, "--do", "next", strconv.Itoa(slot), digit[m.Confirm], digit[m.Active])
			m.OK, m.After = v.RC == 0, checksum(after[slot*recordedSlot:][:recordedSlot])
			if ok, have := b.mark(stock, m); ok != m.OK || have != m.After {
				o.differs("%+v: %t %s", m, ok, have)
			}
			list = append(list, m)
		}
	}
	t.Logf("%s: %d marks, %d differ", mode, o.boots, o.differ)
	return list
}

// histories are random, but no two seeds and setups are alike.
func askHistories(t *testing.T, mode, setup string, stock recordedStock) (list []recordedHistory) {
	o := newOracle(t, mode, setup, stock)
	b := newBoard(t, mode, setup, stock)
	r := mathrand.New(mathrand.NewPCG(*seed, uint64(crc32.ChecksumIEEE([]byte(mode+setup)))))
	for range *walks {
		h := recordedHistory{Mode: mode, Setup: setup}
		dead := false
		b.ask = func(before []byte, cut int, have string, mem []byte) bool {
			want, after := o.boot(before, cut)
			h.Answers = append(h.Answers, want)
			if have != want {
				o.differs("%s %s: %v: %s, MCUboot %s", mode, setup, h.Deeds, have, want)
				copy(mem, after)
			}
			dead = have != want || cut == 0 && !strings.HasPrefix(want, "boot")
			return dead
		}
		b.fresh()
		for len(h.Deeds) < 25 && !dead {
			for _, deed := range b.next(r) {
				if dead {
					break
				}
				h.Deeds = append(h.Deeds, deed)
				b.do(deed)
			}
		}
		list = append(list, h)
	}
	t.Logf("%s %s: %d histories, %d boots, %d differ", mode, setup, len(list), o.boots, o.differ)
	return list
}

// next is what may happen next to a device.
func (b *board) next(r *mathrand.Rand) []string {
	images := b.d.flash.images()
	number := r.IntN(images)
	switch n := r.IntN(100); {
	case n < 24:
		return []string{fmt.Sprintf("upload %s %d %d", b.any(r), number, []int{100, 100, 100, 60}[r.IntN(4)])}
	case n < 29:
		return []string{fmt.Sprintf("flash %s %d", b.any(r), 2*number+r.IntN(2))}
	case n < 45:
		return []string{fmt.Sprintf("test %d", number)}
	case n < 51:
		return []string{fmt.Sprintf("take %d", number)}
	case n < 58:
		return []string{"confirm"}
	case n < 61:
		return []string{fmt.Sprintf("erase %d", number)}
	case n < 68:
		return []string{b.poke(r)}
	case n < 80:
		deeds := []string{fmt.Sprintf("cut %d", 1+r.IntN(90))}
		if r.IntN(4) == 0 {
			deeds = append(deeds, fmt.Sprintf("cut %d", 1+r.IntN(40)))
		}
		return append(deeds, "reset")
	}
	return []string{"reset"}
}

// any is the name of an image that fits the setup.
func (b *board) any(r *mathrand.Rand) string {
	names := []string{"v1", "v2", "v3", "v0", "v2b", "v2", "v3", "v2", "v3", "spoiled", "short", "half", "data"}
	switch {
	case b.setup == "signed":
		names = append(names, "other", "unsigned", "forged")
	case b.setup == "two":
		for n := range 2 {
			names = append(names, fmt.Sprintf("needs%d-1.0.0", n), fmt.Sprintf("needs%d-2.0.0", n),
				fmt.Sprintf("needs%d-9.0.0", n))
		}
	default:
		names = append(names, "full", "over", "long", "huge", "header", "junk")
	}
	switch b.d.o.Mode {
	case DirectXIP, DirectXIPRevert:
		names = append(names, "fixed0", "fixed1", "fixed2", "fixed3")
	case RAMLoad:
		names = append(names, "noload", "low", "high")
	}
	return names[r.IntN(len(names))]
}

// poke damages a trailer, or a header.
func (b *board) poke(r *mathrand.Rand) string {
	slot := r.IntN(2 * b.d.flash.images())
	value := []byte{[]byte{0, 1, 2, 3, 4, 0x42, 0xff}[r.IntN(7)]}
	at := []int{magicFromEnd, imageOKFromEnd, copyDoneFromEnd, swapInfoFromEnd, 1, recordedSlot - 20}[r.IntN(6)]
	switch r.IntN(6) {
	case 0: // as left by a bootloader of another mode
		at, value = magicFromEnd, []byte(bootMagic)
	case 1:
		at, value = 48+8*(1+r.IntN(48)), []byte{byte(r.IntN(3))}
	case 2:
		at = trailerSize(b.d.o.Mode, recordedSlot)
		value = bytes.Repeat([]byte{erased}, at)
	}
	return fmt.Sprintf("poke %d %d %s", slot, at, hex.EncodeToString(value))
}

// ---- the tests ---------------------------------------------------------------------------------------------------

func TestOracle(t *testing.T) {
	stock := stocked(t)
	var tables []recordedTable
	var marks []recordedMark
	var histories []recordedHistory
	for _, mode := range slices.Sorted(func(yield func(string) bool) {
		for name := range recordedModes {
			if !yield(name) {
				return
			}
		}
	}) {
		if *only != "" && mode != *only {
			continue
		}
		tables = append(tables, askTables(t, mode, stock, loads, 1)...)
		marks = append(marks, askMarks(t, mode, stock)...)
		for _, setup := range []string{"plain", "signed", "two", "older"} {
			histories = append(histories, askHistories(t, mode, setup, stock)...)
		}
		if !*record {
			askTables(t, mode, stock, slices.Concat(oddLoads, loads), 11)
		}
	}
	if *record && !t.Failed() {
		writeRecorded(t, "images.json.gz", []recordedStock{stock})
		writeRecorded(t, "trailers.jsonl.gz", tables)
		writeRecorded(t, "marks.jsonl.gz", marks)
		writeRecorded(t, "histories.jsonl.gz", histories)
	}
}

func writeRecorded[T any](t *testing.T, name string, list []T) {
	t.Helper()
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(z)
	for _, v := range list {
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(recordedDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(recordedDir, name), buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
