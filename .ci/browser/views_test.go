package browser

import (
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// states are all that a tile can be in.
var states = []page.State{page.Empty, page.Label, page.Ready, page.Working, page.Pass, page.Fail, page.Unknown, page.Closed}

// story is a station in which each of eight slots is in another state, with texts as package station has them.
func story() page.View {
	v, percent := scene(), 64
	v.Tiles = []page.Tile{
		{Slot: "A1", State: page.Pass, Board: "SN0001240 · E66C38A1B215", Detail: "12.4 s"},
		{Slot: "A2", State: page.Fail, Board: "SN0001241 · E66C38A1B21C", Detail: "no-reply in upload",
			Advice: "pull the board out until this says EMPTY, then try it again; put it aside if that fails too"},
		{Slot: "A3", State: page.Working, Percent: &percent, Board: "SN0001242 · E66C38A1B223", Detail: "upload"},
		{Slot: "A4", State: page.Label, Board: "E66C38A1B22A", Detail: "scan the label of this board"},
		{Slot: "B1", State: page.Unknown, Board: "SN0001238 · E66C38A1B207", Detail: "begun and not ended",
			Advice: "look at this board before it goes on"},
		{Slot: "B2", State: page.Ready, Board: "E66C38A1B231", Detail: "press Start", Button: true},
		{Slot: "B3", State: page.Empty},
		{Slot: "B4", State: page.Closed, Detail: "no new boards now"},
	}
	v.Messages = []page.Message{{ID: "w1", Level: page.Warning, Text: "A1: SN0001240 passed before, on 21 November 09:32"}}
	return v
}

// scene is a station in the middle of its day, as it may well be: boards are flashed as they are plugged in.
func scene() page.View {
	percent, other, left := 64, 17, 417
	at := time.Date(2026, 11, 21, 9, 41, 7, 0, time.UTC)
	return page.View{
		Station: "line2-a",
		Image:   "app-2.0.0.signed.bin · 2.0.0",
		Tiles: []page.Tile{
			{Slot: "A1", State: page.Pass, Board: "E66C38A1B215", Detail: "12.4 s"},
			{Slot: "A2", State: page.Fail, Board: "E66C38A1B21C", Detail: "no-reply in upload",
				Advice: "pull the board out until this says EMPTY, then try it again; put it aside if that fails too"},
			{Slot: "A3", State: page.Working, Percent: &percent, Board: "E66C38A1B223", Detail: "upload"},
			{Slot: "A4", State: page.Pass, Board: "E66C38A1B22A", Detail: "12.6 s"},
			{Slot: "B1", State: page.Working, Board: "E66C38A1B231", Detail: "reset"},
			{Slot: "B2", State: page.Fail, Board: "E66C38A1B238", Detail: "not-running in verify",
				Advice: "put the board aside: the new firmware did not stay"},
			{Slot: "B3", State: page.Working, Percent: &other, Board: "E66C38A1B23F", Detail: "upload"},
			{Slot: "B4", State: page.Empty},
		},
		Counters: page.Counters{Pass: 83, Fail: 3, Unknown: 1, Left: &left, Sends: true, Unsent: 12,
			UnsentSince: at.Add(-9 * time.Minute)},
		History: past(at, 20),
	}
}

// past are boards that were done, one after the other.
func past(last time.Time, n int) []page.Past {
	var list []page.Past
	for i := range n {
		p := page.Past{At: last.Add(-time.Duration(i) * 47 * time.Second), Slot: fmt.Sprintf("%c%d", 'A'+i%8/4, i%4+1),
			Board: fmt.Sprintf("E66C%08X", 0x38a1b22a-7*i), Result: page.Pass,
			Seconds: 12.4 + float64(i%3)/10}
		switch i {
		case 1:
			p.Result, p.Kind, p.Seconds = page.Fail, "not-running", 6.9
		case 3:
			p.Result, p.Kind, p.Seconds = page.Fail, "no-reply", 10.4
		case 6:
			p.Result, p.Kind, p.Seconds = page.Unknown, "", 0
		}
		list = append(list, p)
	}
	return list
}

// stopped is a station that takes no board until somebody has looked.
func stopped() page.View {
	v := story()
	for i := range v.Tiles {
		v.Tiles[i] = page.Tile{Slot: v.Tiles[i].Slot, State: page.Closed, Detail: "no new boards now"}
	}
	v.Messages = []page.Message{{ID: "stop", Level: page.Error, Acknowledge: true,
		Text: "3 failures in a row: no new boards until somebody has looked into it"}}
	return v
}

// done is a station whose quota is done.
func done() page.View {
	v, left := story(), 0
	for i := range v.Tiles {
		v.Tiles[i] = page.Tile{Slot: v.Tiles[i].Slot, State: page.Closed, Detail: "no new boards now"}
	}
	v.Counters.Left = &left
	v.Messages = []page.Message{{ID: "quota", Level: page.Info, Text: "the quota is reached: 500 boards passed"}}
	return v
}

// many is a station with so many slots.
func many(n int) page.View {
	v, tiles := story(), story().Tiles
	v.Tiles, v.Messages = nil, nil
	for i := range n {
		tile := tiles[i%8]
		tile.Slot = fmt.Sprintf("%c%d", 'A'+i/8, i%8+1)
		v.Tiles = append(v.Tiles, tile)
	}
	return v
}
