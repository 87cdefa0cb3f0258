package journal

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"slices"
)

// Turn is what became of a board once it was its turn.
type Turn struct {
	Record           // its end; if there is none, its begin, with the result unknown
	Resolved *Record // what a person found out later; nil: nobody looked
}

// Outcome is the result that counts: that of who looked, or else that of the turn.
func (t Turn) Outcome() Result {
	if t.Resolved != nil {
		return t.Resolved.Result
	}
	return t.Result
}

// History reads what became of boards, in the order in which their turns ended; those without an end come last. Begins
// are read only if there is no end. What makes no sense comes as an error, after which it goes on.
func History(dir string) iter.Seq2[Turn, error] {
	return func(yield func(Turn, error) bool) {
		resolved := resolutions(dir)
		begun := map[string]pending{}
		for line, err := range scan(dir, Position{}) {
			t := Turn{}
			if err == nil {
				var counts bool
				if t.Record, counts, err = turn(line, begun); err == nil && !counts {
					continue
				}
			}
			t.Resolved = resolved[t.ID]
			if !yield(t, err) {
				return
			}
		}
		for _, p := range slices.SortedFunc(maps.Values(begun), func(a, b pending) int { return cmp.Compare(a.seq, b.seq) }) {
			r, err := decode(p.line)
			r.Result = Unknown
			if !yield(Turn{r, resolved[r.ID]}, err) {
				return
			}
		}
	}
}

// pending is the line of a begin without an end.
type pending struct {
	seq  int64
	line []byte
}

// turn takes a line in, and returns the end of a turn if it is one.
func turn(line rawLine, begun map[string]pending) (r Record, counts bool, err error) {
	k, err := line.link()
	switch {
	case err != nil:
		return r, false, err
	case k.event == Begin:
		begun[string(k.id)] = pending{k.seq, bytes.Clone(line.Raw)}
	case k.event == End:
		delete(begun, string(k.id))
		r, err = decode(line.Raw)
		return r, true, line.wrong(err)
	}
	return r, false, nil
}

// resolutions are what people found out, by the turn that it is about. Of several the last counts.
func resolutions(dir string) map[string]*Record {
	found := map[string]*Record{}
	for line, err := range scan(dir, Position{}) {
		if err != nil || !bytes.Contains(line.Raw[:min(len(line.Raw), resolveWithin)], []byte(`"event":"resolve"`)) {
			continue
		}
		if r, err := decode(line.Raw); err == nil && r.Event == Resolve {
			found[r.ID] = &r
		}
	}
	return found
}

// resolveWithin is where the event of a line stands at the latest: behind its number, a hash and an ID.
const resolveWithin = 256
