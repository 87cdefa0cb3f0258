package dfu_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// listOf reads an image list as people would note it: "0.1 B pending permanent" is image B in slot 1 of image 0; "?"
// has no hash.
func listOf(t testing.TB, text string) smp.ImageList {
	t.Helper()
	var l smp.ImageList
	for entry := range strings.SplitSeq(text, ", ") {
		words := strings.Fields(entry)
		if len(words) == 0 {
			continue
		}
		s := smp.ImageState{Image: int(words[0][0] - '0'), Slot: int(words[0][2] - '0'), Version: "1.0.0",
			Hash: letter(words[1])}
		for _, flag := range words[2:] {
			switch flag {
			case "active":
				s.Active = true
			case "confirmed":
				s.Confirmed = true
			case "pending":
				s.Pending = true
			case "permanent":
				s.Permanent = true
			default:
				t.Fatalf("%q: no flag is called %s", text, flag)
			}
		}
		l.Images = append(l.Images, s)
	}
	return l
}

// letter is the hash of an image that has a letter for a name.
func letter(name string) smp.Hash {
	if name == "?" {
		return nil
	}
	return bytes.Repeat([]byte{name[0]}, 32)
}

var (
	testB         = dfu.Request{Action: dfu.MarkTest, Hash: letter("B")}
	confirmB      = dfu.Request{Action: dfu.MarkPermanent, Hash: letter("B")}
	confirmItself = dfu.Request{Action: dfu.Confirm}
	eraseFree     = dfu.Request{Action: dfu.Erase, Slot: smp.SlotDefault}
	erase3        = dfu.Request{Action: dfu.Erase, Slot: 3}
	uploadB       = dfu.Request{Action: dfu.Upload, Hash: letter("B")}
	uploadB1      = dfu.Request{Action: dfu.Upload, Image: 1, Hash: letter("B")}
)

// TestShown is what a device shows, and what smpctl says then.
func TestShown(t *testing.T) {
	const (
		a   = "0.0 A active confirmed"
		ab  = a + ", 0.1 B"
		two = a + ", 0.1 B, 1.0 C active confirmed, 1.1 D"
	)
	for _, tt := range []struct {
		name          string
		q             dfu.Request
		before, after string
		want          dfu.Verdict
		text          string // a part of it
	}{
		{"test", testB, ab, a + ", 0.1 B pending", dfu.DoneNow, ""},
		{"test, marked before", testB, a + ", 0.1 B pending", a + ", 0.1 B pending", dfu.DoneBefore, ""},
		{"test, no mark", testB, ab, ab, dfu.NotDone, "does not list 42424242 as selected for the next boot"},
		{"test, no list", testB, ab, "", dfu.NotDone, "does not list the image 42424242 any more"},
		{"test, no such image", testB, a, a, dfu.NotDone, "does not list the image 42424242"},
		{"test, it runs", testB, "0.0 B active confirmed", "0.0 B active confirmed", dfu.NotDone,
			"runs 1.0.0+0 (42424242) already"},
		{"test, marked for good before", testB, a + ", 0.1 B pending permanent", a + ", 0.1 B pending permanent",
			dfu.NotDone, "marked so before"},
		{"test, marked for good", testB, ab, a + ", 0.1 B pending permanent", dfu.NotDone,
			"selected for good, not once"},
		{"test, another is marked", testB, two, a + ", 0.1 B, 1.0 C active confirmed, 1.1 D pending",
			dfu.NotDone, "does not list 42424242 as selected"},
		{"test, another slot is marked", testB, "0.0 A active, 0.1 B", "0.0 A active pending, 0.1 B",
			dfu.NotDone, "lists 1.0.0+0 (41414141) as selected"},
		{"test, restarted into it", testB, ab, "0.0 B active, 0.1 A confirmed",
			dfu.NotDone, "restarted meanwhile: it ran 1.0.0+0 (41414141), and now runs 1.0.0+0 (42424242)"},
		{"test, of the second image", dfu.Request{Action: dfu.MarkTest, Hash: letter("D")}, two,
			a + ", 0.1 B, 1.0 C active confirmed, 1.1 D pending", dfu.DoneNow, ""},
		{"test, old list of the second image", dfu.Request{Action: dfu.MarkTest, Hash: letter("D")},
			a + ", 1.0 C, 1.1 D", a + ", 1.0 C, 1.1 D pending", dfu.DoneNow, ""},
		{"test, same hash in two images", testB, ab + ", 1.0 C, 1.1 B", a + ", 0.1 B pending, 1.0 C, 1.1 B",
			dfu.DoneNow, "this is about image 0"},
		{"test, same hash in two images, the other is marked", testB, ab + ", 1.0 C, 1.1 B",
			ab + ", 1.0 C, 1.1 B pending", dfu.NotDone, "does not list 42424242 as selected"},
		{"test, same hash in both slots", testB, "0.0 B active confirmed, 0.1 B", "0.0 B active confirmed, 0.1 B",
			dfu.NotDone, "runs 1.0.0+0 (42424242) already"},
		{"test, runs from slot 1", testB, "0.0 B, 0.1 A active confirmed", "0.0 B pending, 0.1 A active confirmed",
			dfu.DoneNow, ""},
		{"test, in the bootloader", testB, "0.0 A active confirmed, 0.1 B", "0.0 A confirmed, 0.1 B pending",
			dfu.DoneNow, ""},
		{"test, in a bootloader that lists no flags", testB, "0.0 A, 0.1 B", "0.0 A, 0.1 B",
			dfu.NotDone, "does not list 42424242 as selected"},
		{"test, a slot is listed twice", testB, ab, a + ", 0.1 B, 0.1 B pending", dfu.NotDone,
			"its list has slot 1 of image 0 twice"},
		{"test, both slots are marked", testB, ab, "0.0 A active pending, 0.1 B pending",
			dfu.NotDone, "2 images selected for the next boot of image 0"},
		{"test, of no image", dfu.Request{Action: dfu.MarkTest}, ab, a + ", 0.1 ? pending", dfu.NotDone,
			"does not list the image"},

		{"confirm by hash", confirmB, ab, a + ", 0.1 B pending permanent", dfu.DoneNow, ""},
		{"confirm by hash, marked before", confirmB, a + ", 0.1 B pending permanent", a + ", 0.1 B pending permanent",
			dfu.DoneBefore, ""},
		{"confirm by hash, marked for a test", confirmB, ab, a + ", 0.1 B pending", dfu.NotDone,
			"selected for one boot only"},
		{"confirm by hash, no mark", confirmB, ab, ab, dfu.NotDone, "does not list 42424242 as selected"},
		{"confirm by hash, it runs", confirmB, "0.0 B active, 0.1 A confirmed", "0.0 B active confirmed, 0.1 A",
			dfu.DoneNow, ""},
		{"confirm by hash, it runs and stays", confirmB, "0.0 B active confirmed", "0.0 B active confirmed",
			dfu.DoneBefore, ""},
		{"confirm by hash, it runs on trial", confirmB, "0.0 B active, 0.1 A confirmed",
			"0.0 B active, 0.1 A confirmed", dfu.NotDone, "does not list it as confirmed"},
		{"confirm by hash, it runs and another is selected", confirmB, "0.0 B active confirmed, 0.1 A pending",
			"0.0 B active confirmed, 0.1 A pending", dfu.NotDone, "lists 1.0.0+0 (41414141) as selected"},
		{"confirm by hash, the one to return to", confirmB, "0.0 A active, 0.1 B confirmed",
			"0.0 A active, 0.1 B confirmed", dfu.DoneBefore, "the next reset returns to 42424242"},
		{"confirm by hash, confirmed beside one that stays", confirmB, ab, a + ", 0.1 B confirmed",
			dfu.NotDone, "does not list 42424242 as selected"},
		{"confirm by hash, gone back meanwhile", confirmB, "0.0 A active, 0.1 B confirmed", "0.0 B active, 0.1 A",
			dfu.NotDone, "restarted meanwhile"},
		{"confirm by hash, same hash in both slots", confirmB, "0.0 B active, 0.1 B", "0.0 B active confirmed, 0.1 B",
			dfu.DoneNow, ""},
		{"confirm by hash, the second image's runs in an old list", confirmB, a + ", 1.0 B", a + ", 1.0 B",
			dfu.NotDone, "does not list it as confirmed"},
		{"confirm by hash, in the bootloader", confirmB, "0.0 A active confirmed, 0.1 B",
			"0.0 A confirmed, 0.1 B pending permanent", dfu.DoneNow, ""},
		{"confirm by hash, marked for a test in the bootloader", confirmB, "0.0 A confirmed, 0.1 B pending",
			"0.0 A confirmed, 0.1 B pending", dfu.NotDone, "for one boot only"},

		{"confirm", confirmItself, "0.0 B active, 0.1 A confirmed", "0.0 B active confirmed, 0.1 A", dfu.DoneNow, ""},
		{"confirm, confirmed before", confirmItself, ab, ab, dfu.DoneBefore, ""},
		{"confirm, still on trial", confirmItself, "0.0 B active, 0.1 A confirmed", "0.0 B active, 0.1 A confirmed",
			dfu.NotDone, "does not list the running 1.0.0+0 (42424242) as confirmed"},
		{"confirm, restarted meanwhile", confirmItself, "0.0 B active, 0.1 A confirmed",
			"0.0 A active confirmed, 0.1 B",
			dfu.NotDone, "restarted meanwhile: it ran 1.0.0+0 (42424242), and now runs 1.0.0+0 (41414141)"},
		{"confirm, restarted from the other slot", confirmItself, "0.0 A, 0.1 A active",
			"0.0 A active confirmed, 0.1 A", dfu.NotDone, "restarted meanwhile"},
		{"confirm, another is selected", confirmItself, "0.0 A active confirmed, 0.1 B pending",
			"0.0 A active confirmed, 0.1 B pending", dfu.NotDone, "it replaces the running 1.0.0+0 (41414141)"},
		{"confirm, another image's is selected", confirmItself, "0.0 A active, 1.0 C, 1.1 D pending",
			"0.0 A active confirmed, 1.0 C, 1.1 D pending", dfu.DoneNow, ""},
		{"confirm, nothing runs", confirmItself, "0.0 A, 0.1 B", "0.0 A, 0.1 B", dfu.NotDone,
			"did not list before which image runs"},
		{"confirm, nothing runs any more", confirmItself, ab, "0.0 A confirmed, 0.1 B pending",
			dfu.NotDone, "does not list which image runs"},
		{"confirm, no list", confirmItself, ab, "", dfu.NotDone, "does not list which image runs"},
		{"confirm, two run", confirmItself, ab, "0.0 A active confirmed, 0.1 B active", dfu.NotDone,
			"its list has 2 running images"},
		{"confirm, the running one is listed twice", confirmItself, ab, "0.0 A active confirmed, 0.0 B active",
			dfu.NotDone, "slot 0 of image 0 twice"},
		{"confirm, the second image's application answers", confirmItself, "1.0 A active", "1.0 A active confirmed",
			dfu.DoneNow, ""},

		{"erase", eraseFree, ab, a, dfu.DoneNow, ""},
		{"erase, still there", eraseFree, ab, ab, dfu.NotDone, "still lists 1.0.0+0 (42424242) in slot 1 of image 0"},
		{"erase, blank before", eraseFree, a, a, dfu.DoneBefore, "slot 1 of image 0 listed no image before either"},
		{"erase, runs from slot 1", eraseFree, "0.0 B, 0.1 A active confirmed", "0.1 A active confirmed", dfu.DoneNow,
			""},
		{"erase, restarted meanwhile", eraseFree, a + ", 0.1 B pending", "0.0 B active, 0.1 A confirmed",
			dfu.NotDone, "restarted meanwhile"},
		{"erase, no list", eraseFree, ab, "", dfu.NotDone, "does not list any more which image runs"},
		{"erase, unknown which", eraseFree, "0.0 A, 0.1 B", "0.0 A", dfu.NotDone, "nothing shows which slot it chose"},
		{"erase, another image is there", eraseFree, ab, a + ", 0.1 C", dfu.NotDone, "still lists 1.0.0+0 (43434343)"},
		{"erase by number", erase3, two, a + ", 0.1 B, 1.0 C active confirmed", dfu.DoneNow, ""},
		{"erase by number, the default instead", erase3, two, a + ", 1.0 C active confirmed, 1.1 D",
			dfu.NotDone,
			"still lists 1.0.0+0 (44444444) in slot 1 of image 1, and has erased 1.0.0+0 (42424242) in slot 1 of " +
				"image 0"},
		{"erase by number, the default instead of a blank one", erase3, ab, a,
			dfu.NotDone, "listed nothing in slot 1 of image 1 before, and has erased 1.0.0+0 (42424242)"},
		{"erase by number, of a network core", erase3, a + ", 1.1 D", a, dfu.DoneNow, ""},
		{"erase by number, nothing runs", erase3, "0.0 A, 1.1 D", "0.0 A", dfu.DoneNow, ""},
		{"erase, listed twice", eraseFree, ab, a + ", 0.0 A", dfu.NotDone, "slot 0 of image 0 twice"},

		{"upload", uploadB, a, ab, dfu.DoneNow, ""},
		{"upload, there before", uploadB, ab, ab, dfu.DoneBefore, ""},
		{"upload, not listed", uploadB, a, a, dfu.NotDone, "does not list the image 42424242"},
		{"upload, runs already", uploadB, "0.0 B active confirmed", "0.0 B active confirmed", dfu.NotDone,
			"only as the running image"},
		{"upload, a copy of the running one", uploadB, "0.0 B active confirmed", "0.0 B active confirmed, 0.1 B",
			dfu.DoneNow, ""},
		{"upload, to another image", uploadB, two, a + ", 1.0 C active confirmed, 1.1 B",
			dfu.NotDone, "in slot 1 of image 1, and not in the free slot of image 0"},
		{"upload, of the second image", uploadB1, a + ", 1.0 C active confirmed", a + ", 1.0 C active confirmed, 1.1 B",
			dfu.DoneNow, ""},
		{"upload, of a network core", uploadB1, a, a + ", 1.1 B", dfu.DoneNow, ""},
		{"upload, to the first image", uploadB1, a + ", 1.0 C", ab + ", 1.0 C",
			dfu.NotDone, "in slot 1 of image 0, and not in the free slot of image 1"},
		{"upload, nothing runs", uploadB, "0.0 B, 0.1 A", "0.0 B, 0.1 A", dfu.NotDone,
			"does not list which of its images runs"},
		{"upload, two run", uploadB, ab, "0.0 A active, 0.1 B active", dfu.NotDone, "2 running images"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, text := dfu.VerdictOf(tt.q, listOf(t, tt.before), listOf(t, tt.after))
			if got != tt.want || !strings.Contains(text, tt.text) || tt.text == "" && text != "" {
				t.Errorf("verdict = %v, %q, want %v, %q", got, text, tt.want, tt.text)
			}
		})
	}
}

// TestShownIsTotal sees that there is a verdict for every list, and a reason for every failure.
func TestShownIsTotal(t *testing.T) {
	const seed = 9
	rng := rand.New(rand.NewPCG(seed, 0))
	random := func() (l smp.ImageList) {
		for range rng.IntN(5) {
			s := smp.ImageState{Image: rng.IntN(3), Slot: rng.IntN(3),
				Version: []string{"1.0.0", "<???>", ""}[rng.IntN(3)]}
			s.Active, s.Pending, s.Confirmed, s.Permanent = rng.IntN(2) > 0, rng.IntN(2) > 0, rng.IntN(2) > 0,
				rng.IntN(2) > 0
			if rng.IntN(4) > 0 {
				s.Hash = letter(string("AB"[rng.IntN(2)]))
			}
			l.Images = append(l.Images, s)
		}
		return l
	}
	requests := []dfu.Request{testB, confirmB, confirmItself, eraseFree, erase3, uploadB, uploadB1, {},
		{Action: dfu.MarkTest}, {Action: dfu.Erase, Slot: 99}}
	for range 50_000 {
		before, after, q := random(), random(), requests[rng.IntN(len(requests))]
		got, text := dfu.VerdictOf(q, before, after)
		if got == dfu.NotDone && text == "" {
			t.Fatalf("seed %d: %+v, %+v, %+v: undone without a reason", seed, before, after, q)
		}
		if q.Action == "" && got != dfu.NotDone {
			t.Fatalf("%v for no request", got)
		}
	}
}
