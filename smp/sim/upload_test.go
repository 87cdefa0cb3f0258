package sim_test

import (
	"crypto/sha256"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// chunkOf is an upload request for a part of a file.
func chunkOf(file []byte, off, n int, more args) args {
	a := args{"off": off, "data": file[off : off+n]}
	if off == 0 {
		a["len"] = len(file)
	}
	for k, v := range more {
		a[k] = v
	}
	return a
}

func (h *host) chunk(a args) map[string]any {
	h.t.Helper()
	return h.ask(smp.Write, smp.GroupImage, 1, a)
}

// answer says how an upload request was answered: the wanted offset, or the error as a negative number.
func answer(r map[string]any) int {
	if n := code(r); n != 0 {
		return -n
	}
	if rc, ok := r["rc"].(uint64); ok && rc != 0 {
		return -int(rc)
	}
	off, ok := r["off"].(uint64)
	if !ok {
		return -999
	}
	return int(off)
}

// TestUploadRules adds to the recorded conversations what those servers were not built for.
func TestUploadRules(t *testing.T) {
	file := buildImage("2.0.0")
	sha := sha256.Sum256(file)
	older := buildImage("1.0.0")
	for _, tt := range []struct {
		name  string
		o     sim.Options
		steps []args
		want  []int
	}{
		{"resume keeps the target", sim.Options{Images: 2}, []args{
			chunkOf(file, 0, 64, args{"sha": sha[:], "image": 1}),
			chunkOf(file, 64, 64, nil),
			chunkOf(file, 0, 64, args{"sha": sha[:], "image": 0}),
			chunkOf(file, 128, 64, nil),
		}, []int{64, 128, 128, 192}},
		{"unknown image number", sim.Options{Images: 2}, []args{chunkOf(file, 0, 64, args{"image": 2})}, []int{-9}},
		{"more data than announced later", sim.Options{}, []args{
			{"off": 0, "len": 100, "data": file[:64]},
			{"off": 64, "data": file[64:128]},
			{"off": 64, "data": file[64:100]},
		}, []int{64, -31, 0}},
		{"upgrade only", sim.Options{}, []args{
			chunkOf(older, 0, 64, args{"upgrade": true}),
			chunkOf(file, 0, 64, args{"upgrade": true}),
		}, []int{-27, 64}},
		{"chunks cut to the write size", sim.Options{AlignWrite: 8}, []args{
			chunkOf(file, 0, 61, nil),
			chunkOf(file, 61, 8, nil),
			chunkOf(file, 56, 7, nil),
			chunkOf(file, 56, 16, nil),
		}, []int{56, 56, 56, 72}},
		{"direct upload: free slot", sim.Options{DirectUpload: true}, []args{chunkOf(file, 0, 64, args{"image": 2})},
			[]int{64}},
		{"direct upload: running slot", sim.Options{DirectUpload: true}, []args{chunkOf(file, 0, 64, args{"image": 1})},
			[]int{-9}},
		{"direct upload: automatic", sim.Options{DirectUpload: true}, []args{chunkOf(file, 0, 64, nil)}, []int{64}},
		{"direct upload: beyond the last slot", sim.Options{DirectUpload: true},
			[]args{chunkOf(file, 0, 64, args{"image": 3})}, []int{-9}},
		{"direct upload: second image", sim.Options{DirectUpload: true, Images: 2},
			[]args{chunkOf(file, 0, 64, args{"image": 4})}, []int{64}},
		{"number of more than 32 bits", sim.Options{}, []args{chunkOf(file, 0, 64, args{"len": uint64(1) << 32})},
			[]int{-3}},
		{"negative offset", sim.Options{}, []args{{"off": -1, "data": file[:64]}}, []int{-3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t, newDevice(t, tt.o))
				var got []int
				for _, a := range tt.steps {
					got = append(got, answer(h.chunk(a)))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("answers differ (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestImageCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{ImageCheck: true}))
		file := buildImage("2.0.0")
		sha := sha256.Sum256(file)
		finish := func(sum []byte) map[string]any {
			h.chunk(chunkOf(file, 0, 64, args{"sha": sum}))
			var r map[string]any
			for off := 64; off < len(file); off += 300 {
				r = h.chunk(chunkOf(file, off, min(300, len(file)-off), nil))
			}
			return r
		}
		size := uint64(len(file))
		wrong := make([]byte, 32)
		for _, step := range []struct {
			name string
			got  map[string]any
			want map[string]any
		}{
			{"right sha", finish(sha[:]), map[string]any{"off": size, "match": true}},
			{"file is there already", h.chunk(chunkOf(file, 0, 64, args{"sha": sha[:]})),
				map[string]any{"off": size, "match": true}},
			{"wrong sha", finish(wrong), map[string]any{"off": size, "match": false}},
			{"the same without sha starts over", h.chunk(chunkOf(file, 0, 64, nil)), map[string]any{"off": uint64(64)}},
		} {
			if diff := cmp.Diff(step.want, step.got); diff != "" {
				t.Errorf("%s: answer differs (-want +got):\n%s", step.name, diff)
			}
		}
	})
}

// TestEraseTimes measures how long requests take that erase, in units of one sector.
func TestEraseTimes(t *testing.T) {
	const sector = 100 * time.Millisecond
	const slot = 16 // sectors
	file := buildWithSize(5 * sim.Sector)
	dirty := func(h *host) { h.chunk(chunkOf(file, 0, 64, nil)) }
	for _, tt := range []struct {
		name        string
		progressive bool
		prepare     func(h *host)
		request     args
		erase       bool
		want        time.Duration
	}{
		{"first chunk, blank slot", false, func(*host) {}, chunkOf(file, 0, 64, nil), false, 0},
		{"first chunk, dirty slot", false, dirty, chunkOf(file, 0, 64, nil), false, (5 + 1) * sector},
		{"first chunk, progressive", true, dirty, chunkOf(file, 0, 64, nil), false, (1 + 1) * sector},
		{"later chunk", false, dirty, chunkOf(file, 64, 64, nil), false, 0},
		{"later chunk, progressive, same sector", true, dirty, chunkOf(file, 64, 64, nil), false, 0},
		{"erase, blank slot", false, func(*host) {}, nil, true, 0},
		{"erase, dirty slot", false, dirty, nil, true, slot * sector},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t,
					sim.Options{EraseTime: sector, Progressive: tt.progressive, SlotSize: slot * sim.Sector})
				h := newHost(t, d)
				tt.prepare(h)
				time.Sleep(time.Minute)
				h.all()
				id := uint8(1)
				if tt.erase {
					id, tt.request = 5, args{}
				}
				start := time.Now()
				h.send(h.request(smp.Write, smp.GroupImage, id, tt.request))
				for len(h.all()) == 0 && time.Since(start) < time.Minute {
					time.Sleep(sector / 10)
				}
				if got := time.Since(start); got != tt.want {
					t.Errorf("answer after %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestResetDuringErase wants no answer from before the reset and a device that works afterwards.
func TestResetDuringErase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{EraseTime: time.Second})
		h := newHost(t, d)
		file := buildImage("2.0.0")
		h.chunk(chunkOf(file, 0, 64, nil))
		h.send(h.request(smp.Write, smp.GroupImage, 5, args{}))
		time.Sleep(time.Second)
		d.Reset()
		time.Sleep(time.Hour)
		if got := h.all(); got != nil {
			t.Errorf("got answers %x to a request that a reset ended, want none", got)
		}
		if r := h.chunk(chunkOf(file, 64, 64, nil)); answer(r) != 0 {
			t.Errorf("chunk after the reset: answer %v, want offset 0: the upload is forgotten", r)
		}
	})
}

func buildWithSize(n int) []byte {
	b := buildImage("2.0.0")
	out := make([]byte, n)
	copy(out, b)
	return out
}

func TestLegacyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{Legacy: true}))
		for _, tt := range []struct{ name, sent, want string }{
			{"version 2 is not seen", "08000001000007" + "06a0",
				"010000190000" + "0706bf686275665f73697a65190180696275665f636f756e7404ff"},
			{"flat error", "0a0000010001" + "0801a0", "030000060001" + "0801bf62726303ff"},
			{"rc in success", "0a0000010001" + "0905a0", "030000060001" + "0905bf62726300ff"},
		} {
			h.send(mustHex(tt.sent))
			if diff := cmp.Diff([][]byte{mustHex(tt.want)}, h.all()); diff != "" {
				t.Errorf("%s: answer differs (-want +got):\n%s", tt.name, diff)
			}
		}
	})
}

func TestAbsentCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{
			NoEcho: true, NoParams: true, NoTaskStat: true, NoMemStat: true, NoDateTime: true, NoInfo: true,
			NoBootloaderInfo: true, NoSlotInfo: true, NoGroups: []smp.Group{smp.GroupStat},
		}))
		for _, c := range []struct {
			g  smp.Group
			id uint8
		}{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 6}, {0, 7}, {0, 8}, {1, 6}, {1, 2}, {2, 0}, {6, 0}, {63, 0}} {
			if r := h.ask(smp.Read, c.g, c.id, nil); r["rc"] != uint64(8) {
				t.Errorf("read of command %d/%d: answer %v, want rc 8", c.g, c.id, r)
			}
		}
	})
}
