// Package journal keeps records of boards: who did what to which board, when, and what became of it.
//
//	j, err := journal.Open("records", journal.Options{Station: station, Key: key})
//	id, err := j.Begin(journal.Record{Board: board, Image: image}) // an error: touch no board
//	…
//	err = j.End(id, journal.Record{Result: journal.Pass, Steps: steps}) // nil: it has passed
//
// A journal is a folder with a text file a month, such as 2026-11.jsonl, to which lines are added and nothing else: one
// [Record] in JSON each, written with one write and on the disk before it counts. Every line holds the SHA-256 of the
// line before, counted without its line end; the first line of a month holds that of the last line of the file before,
// and the very first one zeros:
//
//	{"v":1,"seq":411,"prev":"9f…","id":"…","event":"begin",…}   <- SHA-256 of these bytes ─┐
//	{"v":1,"seq":412,"prev":"c4…","id":"…","event":"end",…}              is this prev  <───┘
//
// It knows no device and no command.
package journal
