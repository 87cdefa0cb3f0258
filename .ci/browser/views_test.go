package browser

import (
	"fmt"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// states are all that a tile can be in.
var states = []page.State{page.Empty, page.Label, page.Ready, page.Working, page.Pass, page.Fail, page.Unknown, page.Closed}

// story is a station in the middle of its day: eight slots, each in another state.
func story() page.View {
	percent, left := 64, 417
	at := time.Date(2026, 11, 21, 9, 41, 7, 0, time.UTC)
	return page.View{
		Station: "line2-a",
		Image:   "app-2.0.0.signed.bin · 2.0.0 · 9f3c2a1e · signature verified",
		Tiles: []page.Tile{
			{Slot: "A1", State: page.Pass, Board: "SN0001240 · E66C3A09", Detail: "2.0.0 in 12.4 s", Advice: "Take the board out."},
			{Slot: "A2", State: page.Fail, Board: "SN0001241 · E66C3A10", Detail: "wrong-key",
				Advice: "Put the board in the red box and call for help."},
			{Slot: "A3", State: page.Working, Percent: &percent, Board: "SN0001242 · E66C3A11", Detail: "upload"},
			{Slot: "A4", State: page.Label, Board: "E66C3A12", Detail: "Scan the label of this board."},
			{Slot: "B1", State: page.Unknown, Board: "SN0001238 · E66C3A07", Detail: "begun, and the power failed",
				Advice: "Look at this board before it goes on."},
			{Slot: "B2", State: page.Ready, Board: "SN0001243", Detail: "Plug the board in.", Button: true},
			{Slot: "B3", State: page.Empty},
			{Slot: "B4", State: page.Closed, Detail: "The quota is done."},
		},
		Counters: page.Counters{Pass: 79, Fail: 3, Unknown: 1, Left: &left, Sends: true, Unsent: 12,
			UnsentSince: at.Add(-9 * time.Minute)},
		Messages: []page.Message{{ID: "w1", Level: page.Warning, Text: "SN0001239 passed before, 10:32. It was flashed again."}},
		History:  past(at, 20),
	}
}

// past are boards that were done, one after the other.
func past(last time.Time, n int) []page.Past {
	var list []page.Past
	for i := range n {
		p := page.Past{At: last.Add(-time.Duration(i) * 47 * time.Second), Slot: fmt.Sprintf("%c%d", 'A'+i%8/4, i%4+1),
			Board: fmt.Sprintf("E66C3A%02X", 60-i), Label: fmt.Sprintf("SN%07d", 1240-i), Result: page.Pass,
			Seconds: 12.4 + float64(i%3)/10}
		switch i {
		case 1:
			p.Result, p.Kind, p.Seconds = page.Fail, "wrong-key", 3.1
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
		v.Tiles[i] = page.Tile{Slot: v.Tiles[i].Slot, State: page.Closed, Detail: "The station has stopped."}
	}
	v.Messages = []page.Message{{ID: "stop", Level: page.Error, Acknowledge: true,
		Text: "STOPPED: 3 boards in a row failed. Call for help before going on."}}
	return v
}

// done is a station whose quota is done.
func done() page.View {
	v, left := story(), 0
	for i := range v.Tiles {
		v.Tiles[i] = page.Tile{Slot: v.Tiles[i].Slot, State: page.Closed, Detail: "The quota is done."}
	}
	v.Counters.Left = &left
	v.Messages = []page.Message{{ID: "quota", Level: page.Info, Text: "The quota of 500 is done."}}
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
