package sim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

func TestParseFaults(t *testing.T) {
	spec := "seed=7, drop-request=0.01,drop-reply=1,duplicate-reply=0.5,delay-reply=0.1,flip=1e-4," +
		"delay=2s,vanish-after=20000,vanish-for=500ms,reboot-after=3,lose-last-answer,lose-reset"
	want := sim.Faults{
		Seed: 7, DropRequest: 0.01, DropReply: 1, DuplicateReply: 0.5, DelayReply: 0.1, Flip: 1e-4,
		Delay:       2 * time.Second,
		VanishAfter: 20000, VanishFor: 500 * time.Millisecond, RebootAfter: 3, LoseLastAnswer: true, LoseReset: true,
	}
	if got, err := sim.ParseFaults(spec); err != nil || got != want {
		t.Errorf("ParseFaults(%q) = %+v, %v, want %+v", spec, got, err, want)
	}
	if got, err := sim.ParseFaults(""); err != nil || got != (sim.Faults{}) {
		t.Errorf("ParseFaults of nothing = %+v, %v, want no faults", got, err)
	}
	for _, tt := range []struct{ spec, want string }{
		{"drop=1", `"drop" is not a fault`},
		{"seed=1,", `"" is not a fault`},
		{"seed=1,seed=2", "seed is given twice"},
		{"flip", "flip=: not a probability from 0 to 1"},
		{"flip=1.5", "not a probability"},
		{"flip=NaN", "not a probability"},
		{"drop-reply=-0.1", "not a probability"},
		{"vanish-after=0", "not a positive number"},
		{"reboot-after=x", "not a positive number"},
		{"delay=5", "not a duration"},
		{"vanish-for=-1s", "not a duration"},
		{"lose-reset=yes", "takes no value"},
		{"seed=abc", "not a number"},
	} {
		if _, err := sim.ParseFaults(tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseFaults(%q): %v, want an error with %q", tt.spec, err, tt.want)
		}
	}
}

// TestFaultRates counts what becomes of many echo requests.
func TestFaultRates(t *testing.T) {
	const n = 4000
	for _, tt := range []struct {
		name     string
		f        sim.Faults
		min, max int // answers
		requests int // executed at the least
	}{
		{"none", sim.Faults{}, n, n, n},
		{"requests lost", sim.Faults{Seed: 1, DropRequest: 0.25}, n * 70 / 100, n * 80 / 100, n * 70 / 100},
		{"answers lost", sim.Faults{Seed: 2, DropReply: 0.25}, n * 70 / 100, n * 80 / 100, n},
		{"answers twice", sim.Faults{Seed: 3, DuplicateReply: 0.25}, n * 120 / 100, n * 130 / 100, n},
		{"all lost", sim.Faults{DropReply: 1}, 0, 0, n},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var results [2]int
			for i := range results {
				synctest.Test(t, func(t *testing.T) {
					d := newDevice(t, sim.Options{Faults: tt.f})
					h := newHost(t, d)
					for range n {
						h.send(h.request(smp.Write, smp.GroupOS, 0, args{"d": "x"}))
						results[i] += len(h.all())
					}
					if got := d.Stats().Requests; got < tt.requests {
						t.Errorf("executed %d requests, want %d at the least", got, tt.requests)
					}
				})
			}
			if results[0] < tt.min || results[0] > tt.max {
				t.Errorf("got %d answers, want %d to %d", results[0], tt.min, tt.max)
			}
			if results[0] != results[1] {
				t.Errorf("got %d answers, then %d with the same seed", results[0], results[1])
			}
		})
	}
}

func TestFlippedBits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{Faults: sim.Faults{Seed: 5, Flip: 0.01}})
		s := d.Stream()
		defer s.Close()
		take := collect(t, s)
		good, damaged := 0, 0
		for range 300 {
			if _, err := s.Write([]byte(echoFrame)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			switch string(take()) {
			case echoAnswer:
				good++
			case "":
			default:
				damaged++
			}
		}
		// 0.99^31 of the requests get through, and 0.99^35 of their answers.
		if good < 100 || good > 210 || damaged < 20 {
			t.Errorf("%d of 300 answers are intact, %d damaged; want about 155 and 65", good, damaged)
		}
		if d.Stats().Broken == 0 {
			t.Error("no request was damaged")
		}
	})
}

func TestDelayedAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, newDevice(t, sim.Options{Faults: sim.Faults{DelayReply: 1, Delay: time.Second}}))
		h.send(h.request(smp.Write, smp.GroupOS, 0, args{"d": "x"}))
		time.Sleep(time.Second - 1)
		if got := h.all(); got != nil {
			t.Errorf("got %x too early", got)
		}
		time.Sleep(time.Nanosecond)
		if got := h.all(); len(got) != 1 {
			t.Errorf("got %x, want one answer", got)
		}
	})
}

func TestLostLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{Faults: sim.Faults{LoseLastAnswer: true, LoseReset: true}})
		h := newHost(t, d)
		file := buildWithSize(400)
		if got := answer(h.chunk(chunkOf(file, 0, 200, nil))); got != 200 {
			t.Errorf("first chunk: %d", got)
		}
		if r := h.chunk(chunkOf(file, 200, 200, nil)); r != nil {
			t.Errorf("last chunk: answer %v, want none", r)
		}
		if got := answer(h.chunk(chunkOf(file, 200, 200, nil))); got != 0 {
			t.Errorf("last chunk again: %d, want 0: the upload is complete and forgotten", got)
		}
		if r := h.ask(smp.Write, smp.GroupOS, 5, nil); r != nil {
			t.Errorf("reset: answer %v, want none", r)
		}
		time.Sleep(longEnough)
		if d.Boots() != 2 {
			t.Errorf("%d boots, want 2: the reset happens all the same", d.Boots())
		}
	})
}

func TestRebootAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sim.Options{Faults: sim.Faults{RebootAfter: 3}})
		h := newHost(t, d)
		var got []bool
		for range 5 {
			got = append(got, h.ask(smp.Read, smp.GroupOS, 6, nil) != nil)
			if d.Boots() == 2 {
				time.Sleep(longEnough)
			}
		}
		if diff := cmp.Diff([]bool{true, true, false, true, true}, got); diff != "" {
			t.Errorf("answered requests differ (-want +got):\n%s", diff)
		}
	})
}

func TestVanish(t *testing.T) {
	for _, tt := range []struct {
		name  string
		f     sim.Faults
		alive bool // in the end, and from then on
	}{
		{"for good", sim.Faults{VanishAfter: 500}, false},
		{"for a while", sim.Faults{VanishAfter: 500, VanishFor: time.Second}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, sim.Options{Faults: tt.f})
				s := d.Stream()
				defer s.Close()
				sent := 0
				for {
					n, err := s.Write([]byte(echoFrame))
					if err != nil {
						break
					}
					if sent += n; sent > 1000 {
						t.Fatal("the device is still there")
					}
				}
				if sent < 500 || sent > 500+2*len(echoFrame) {
					t.Errorf("the stream broke after %d bytes, want about 500", sent)
				}
				time.Sleep(longEnough)
				h := newHost(t, d)
				for range 3 {
					if got := h.ask(smp.Read, smp.GroupOS, 6, nil) != nil; got != tt.alive {
						t.Errorf("answers in the end: %v, want %v", got, tt.alive)
					}
				}
			})
		})
	}
}
