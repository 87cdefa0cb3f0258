package journal

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// History folds the lines of boards' turns: one record for each, its end, or its begin with the result unknown if there
// is no end. They come in the order in which they ended, those without an end last.
func History(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		begun := map[string]Record{}
		for r, err := range records {
			if err != nil {
				if !yield(Record{}, err) {
					return
				}
				continue
			}
			switch r.Event {
			case Begin:
				begun[r.ID] = r
			case End:
				delete(begun, r.ID)
				if !yield(r, nil) {
					return
				}
			}
		}
		for _, r := range slices.SortedFunc(maps.Values(begun), func(a, b Record) int { return cmp.Compare(a.Seq, b.Seq) }) {
			r.Result = Unknown
			if !yield(r, nil) {
				return
			}
		}
	}
}
