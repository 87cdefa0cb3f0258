package sim_test

import (
	"bytes"
	"crypto/ed25519"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/sim"
)

// locked is a device whose primary slot nobody can change: no image is signed with its key.
func locked() sim.Options {
	return sim.Options{
		SlotSize: 4 * sim.Sector, BufSize: 4096, LineSize: 1024, EraseTime: time.Millisecond,
		Key:            ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public(),
		SerialRecovery: sim.SerialRecovery{Absent: true},
	}
}

// unharmed checks that a locked device came through whatever was sent to it.
func unharmed(t *testing.T, d *sim.Device, before []byte) {
	t.Helper()
	time.Sleep(longEnough)
	d.Reset()
	time.Sleep(longEnough)
	h := newHost(t, d)
	if r := h.ask(smp.Write, smp.GroupOS, 0, args{"d": "alive"}); r["r"] != "alive" {
		t.Errorf("echo afterwards: answer %v", r)
	}
	if after := d.SlotBytes(0, 0); !bytes.Equal(before[:3*sim.Sector], after[:3*sim.Sector]) {
		t.Error("the primary slot was changed")
	}
	if s := d.Slots(); len(s) != 2 || !s[0].Active || !s[0].Valid || s[0].Version != (image.Version{Major: 1}) {
		t.Errorf("slots afterwards: %+v", s)
	}
}

func FuzzStream(f *testing.F) {
	for _, name := range []string{"native-framing.txt", "native-framing-manylines.txt", "native-sizes.txt",
		"recovery-raw-framing.txt"} {
		for _, x := range readRecording(f, name).steps {
			f.Add(bytes.Join(x.sent, nil))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []sim.Options{locked(), rawDevice(locked())} {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice(t, o)
				before := d.SlotBytes(0, 0)
				s := d.Stream()
				defer s.Close()
				if n, err := s.Write(data); n != len(data) || err != nil {
					t.Errorf("Write = %d, %v", n, err)
				}
				unharmed(t, d, before)
			})
		}
	})
}

func FuzzPacket(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatal("no recordings", err)
	}
	for _, name := range files {
		for _, x := range readRecording(f, filepath.Base(name)).steps {
			if p := x.sent[0]; p[0] != 6 && len(p) < 1000 {
				f.Add(p, []byte{})
			}
		}
	}
	f.Add(mustHex("0a00000100000105a0"), mustHex("0a00000100010105a0"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, locked())
			before := d.SlotBytes(0, 0)
			h := newHost(t, d)
			for _, p := range [][]byte{first, second} {
				h.send(p)
				time.Sleep(time.Second)
				for _, answer := range h.all() {
					checkAnswer(t, p, answer)
				}
			}
			unharmed(t, d, before)
		})
	})
}

// checkAnswer wants every answer to be well formed, whatever was asked.
func checkAnswer(t *testing.T, request, answer []byte) {
	t.Helper()
	head, body, err := smp.ParseHeader(answer)
	if err != nil || len(answer) != smp.HeaderLen+int(head.Length) || len(answer) > 4096 {
		t.Fatalf("request %x: answer %x: %v", request, answer, err)
	}
	if head.Op != smp.ReadResponse && head.Op != smp.WriteResponse || head.Version > smp.V2 || head.Flags != 0 {
		t.Errorf("request %x: answer has header %+v", request, head)
	}
	var m map[string]any
	mode, err := cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, DupMapKey: cbor.DupMapKeyEnforcedAPF}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	if err := mode.Unmarshal(body, &m); err != nil {
		t.Errorf("request %x: answer %x: %v", request, answer, err)
	}
}
