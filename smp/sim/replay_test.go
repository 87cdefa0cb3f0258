package sim_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// exchange is one step of a recorded conversation.
type exchange struct {
	name      string
	sent, got [][]byte
	upload    string // version of an image to upload before
	damaged   bool
	wait      bool // for the device to come back, before
}

// recording is a file of testdata.
type recording struct {
	steps  []exchange
	hashes map[string][]byte // by version
}

func readRecording(t testing.TB, name string) recording {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := recording{hashes: map[string][]byte{}}
	var next exchange // collects what stands before a name
	for lines := bufio.NewScanner(f); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		last := len(r.steps) - 1
		switch word {
		case "", "#":
		case "name":
			next.name = rest
			r.steps = append(r.steps, next)
			next = exchange{}
		case ">":
			r.steps[last].sent = append(r.steps[last].sent, unhex(t, rest))
		case "<":
			r.steps[last].got = append(r.steps[last].got, unhex(t, rest))
		case "hash":
			version, sum, _ := strings.Cut(rest, " ")
			r.hashes[version] = unhex(t, sum)
		case "upload":
			version, damaged, _ := strings.Cut(rest, " ")
			next.upload, next.damaged = version, damaged != ""
		case "wait":
			next.wait = true
		default:
			t.Fatalf("%s: unknown line %q", name, lines.Text())
		}
	}
	if len(r.steps) == 0 {
		t.Fatalf("%s: empty", name)
	}
	return r
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// own replaces the hashes of the recorded images by those of the test's.
func (r recording) own(p []byte, kind image.Header) []byte {
	for version, hash := range r.hashes {
		sum := sha256Of(buildWith(version, 9000, kind))
		p = bytes.ReplaceAll(p, hash, sum)
	}
	return p
}

func TestRecordedPackets(t *testing.T) {
	// What the recorded builds left out.
	bare := sim.Options{NoBootloaderInfo: true, NoDateTime: true, NoMemStat: true, Board: "native_sim/native"}
	groups := bare
	groups.NoStorage, groups.NoGroups = true, []smp.Group{smp.GroupLog, smp.GroupCrash, smp.GroupRun}
	with := func(o sim.Options, mode sim.Mode, slotSize int) sim.Options {
		o.Mode, o.SlotSize, o.Verbose = mode, slotSize, true
		o.Factory = buildWith("0.0.0", 9000, headerFor(mode))
		return o
	}
	recovery := func(s sim.SerialRecovery) sim.Options {
		return sim.Options{Mode: sim.RAMLoad, SlotSize: 524288, Factory: buildWith("0.0.0", 9000, forRAM),
			Recovery: true, SerialRecovery: s}
	}
	for _, tt := range []struct {
		file string
		o    sim.Options
	}{
		{"native-os.txt", bare},
		{"native-errors.txt", bare},
		{"native-groups.txt", groups},
		{"native-files.txt", bare},
		{"m0-image.txt", with(bare, sim.SwapOffset, 106496)},
		{"m0-swap.txt", with(bare, sim.SwapOffset, 106496)},
		{"m0-swap-b.txt", with(bare, sim.SwapOffset, 106496)},
		{"mps2-ramload.txt", with(bare, sim.RAMLoad, 524288)},
		{"recovery-os.txt", recovery(sim.SerialRecovery{})},
		{"recovery-errors.txt", recovery(sim.SerialRecovery{})},
		{"recovery-image.txt", recovery(sim.SerialRecovery{})},
		{"recovery-upload.txt", recovery(sim.SerialRecovery{})},
		{"recovery-blank.txt", sim.Options{Blank: true}},
		{"recovery-noparams.txt", recovery(sim.SerialRecovery{NoParams: true})},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r := readRecording(t, tt.file)
			synctest.Test(t, func(t *testing.T) { replayPackets(t, r, tt.o) })
		})
	}
}

func replayPackets(t *testing.T, r recording, o sim.Options) {
	d := newDevice(t, o)
	h := newHost(t, d)
	h.kind = headerFor(o.Mode)
	for _, x := range r.steps {
		if x.wait {
			time.Sleep(10 * time.Second) // fake time
		}
		if x.upload != "" {
			h.uploadImage(x.upload, x.damaged)
		}
		for _, p := range x.sent {
			h.send(r.own(p, h.kind))
		}
		var want []string
		for _, p := range x.got {
			want = append(want, hex.EncodeToString(r.own(p, h.kind)))
		}
		var got []string
		for _, p := range h.all() {
			got = append(got, hex.EncodeToString(p))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: sent %x, answer differs from the recorded one (-recorded +got):\n%s", x.name, x.sent, diff)
		}
	}
}

func TestRecordedFrames(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		o          sim.Options
		skip       string
	}{
		{"two lines", "native-framing.txt", sim.Options{RXLines: 2}, ""},
		{"sizes", "native-sizes.txt", sim.Options{LineSize: 512}, ""},
		{"enough lines", "native-framing-manylines.txt", sim.Options{LineSize: 512}, ""},
		// While the lines of these four are decoded one after the other the first one is answered already; in the
		// recorded simulator no time passes.
		{"serial recovery", "recovery-framing.txt", sim.Options{Recovery: true}, ""},
		{"serial recovery, raw", "recovery-raw-framing.txt", sim.Options{Blank: true,
			SerialRecovery: sim.SerialRecovery{Raw: true}}, ""},
		{"32 lines", "native-framing-manylines.txt", sim.Options{RXLines: 32, LineSize: 512},
			"4 requests in one write"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := readRecording(t, tt.file)
			r.steps = slices.DeleteFunc(r.steps, func(x exchange) bool { return x.name == tt.skip })
			synctest.Test(t, func(t *testing.T) { replayFrames(t, r, tt.o) })
		})
	}
}

func replayFrames(t *testing.T, r recording, o sim.Options) {
	d := newDevice(t, o)
	s := d.Stream()
	defer s.Close()
	got := collect(t, s)
	for _, x := range r.steps {
		if x.wait {
			time.Sleep(10 * time.Second) // fake time
		}
		for _, p := range x.sent {
			if _, err := s.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second) // fake time
		var want []byte
		for _, p := range x.got {
			want = append(want, p...)
		}
		if diff := cmp.Diff(string(want), string(got())); diff != "" {
			t.Errorf("%s: sent %q, answer differs from the recorded one (-recorded +got):\n%s", x.name, x.sent, diff)
		}
	}
}

func sha256Of(img []byte) []byte {
	// The test's images end in their hash.
	return img[len(img)-sha256.Size:]
}
