package smp

import (
	"fmt"
	"strings"
	"testing"
)

// The scripts below name chunks by their offsets:
//
//	+0-100     the window gives this chunk
//	.          the window gives nothing
//	0-100=100  the chunk is answered, the device now wants 100
//	!0-100     the chunk is lost
//	~0-100     the chunk is put back
//	have, not  the end of a doubt
//
// Chunks end at multiples of 100; where two with the same offsets are in flight, the older is meant.
func TestWindow(t *testing.T) {
	tests := []struct {
		name        string
		size, limit int
		script      string
		want        string
	}{
		{"one chunk", 50, 4, "+0-50 . 0-50=50 .", "finished, wants 50, limit 4, depth 1, losses 0, returns 0"},
		{"first and last travel alone", 300, 4, "+0-100 . 0-100=100 +100-200 . 100-200=200 +200-300 . 200-300=300", "finished, wants 300, limit 4, depth 3, losses 0, returns 0"},
		{"depth grows by one per good answer", 2000, 3,
			"+0-100 . 0-100=100 +100-200 +200-300 . 100-200=200 +300-400 +400-500 . 200-300=300 +500-600 .",
			"flight 3, wants 300, limit 3, depth 3, losses 0, returns 0"},
		{"limit of 1", 400, 1, "+0-100 . 0-100=100 +100-200 . 100-200=200 +200-300 .", "flight 1, wants 200, limit 1, depth 1, losses 0, returns 0"},
		{"last chunk waits for the flight", 400, 4, "+0-100 0-100=100 +100-200 +200-300 . 100-200=200 . 200-300=300 +300-400 .", "flight 1, wants 300, limit 4, depth 4, losses 0, returns 0"},

		{"chunk lost on the way, found by the next answer", 2000, 4,
			"+0-100 0-100=100 +100-200 +200-300 200-300=100 +100-200 .", "flight 1, wants 100, limit 4, depth 1, losses 1, returns 0"},
		{"disagreement drains", 2000, 4,
			"+0-100 0-100=100 +100-200 +200-300 100-200=200 +300-400 +400-500 300-400=200 . 400-500=200 +200-300 . 200-300=300 +300-400 +400-500 .",
			"flight 2, wants 300, limit 4, depth 2, losses 0, returns 0"},
		{"answer lost, data arrived", 2000, 4,
			"+0-100 0-100=100 +100-200 +200-300 200-300=300 +300-400 +400-500 +500-600 .", "flight 3, wants 300, limit 4, depth 3, losses 0, returns 0"},
		{"all lost", 2000, 4, "+0-100 0-100=100 +100-200 +200-300 !100-200 . !200-300 +100-200 .", "flight 1, wants 100, limit 4, depth 1, losses 1, returns 0"},
		{"depth that loses three times is not tried again at once", 20000, 3,
			"+0-100 0-100=100 +100-200 +200-300 100-200=200 +300-400 +400-500 300-400=200 400-500=200 " +
				"+200-300 200-300=300 +300-400 +400-500 300-400=400 +500-600 +600-700 500-600=400 600-700=400 " +
				"+400-500 400-500=500 +500-600 +600-700 500-600=600 +700-800 +800-900 700-800=600 800-900=600 " +
				"+600-700 600-700=700 +700-800 +800-900 700-800=800 +900-1000 .",
			"flight 2, wants 800, limit 2, depth 2, losses 0, returns 0"},
		{"progress forgives losses", 2000, 4, "+0-100 !0-100 +0-100 !0-100 +0-100 0-100=100 +100-200 +200-300 .", "flight 2, wants 100, limit 4, depth 2, losses 0, returns 0"},
		{"thirty losses in a row", 2000, 1, strings.Repeat("+0-100 !0-100 ", 30) + "+0-100 .", "flight 1, wants 0, limit 1, depth 1, losses 30, returns 0"},
		{"one more", 2000, 1, strings.Repeat("+0-100 !0-100 ", 31) + ".", "transfer makes no progress: offset 0 lost 31 times in a row"},
		{"never accepted", 2000, 1, strings.Repeat("+0-100 0-100=0 ", 31) + ".", "transfer makes no progress: offset 0 lost 31 times in a row"},

		{"short accept goes on from there, one at a time", 2000, 4,
			"+0-100 0-100=100 +100-200 +200-300 100-200=196 . 200-300=196 +196-200 . 196-200=200 +200-300 .", "flight 1, wants 200, limit 1, depth 1, losses 0, returns 0"},
		{"short accept of the first chunk", 2000, 4, "+0-100 0-100=96 +96-100 .", "flight 1, wants 96, limit 4, depth 1, losses 0, returns 0"},
		{"resume", 2000, 4, "+0-100 0-100=700 +700-800 .", "flight 1, wants 700, limit 4, depth 1, losses 0, returns 0"},
		{"everything there already", 2000, 4, "+0-100 0-100=2000 .", "finished, wants 2000, limit 4, depth 1, losses 0, returns 0"},
		{"jump forward", 2000, 4, "+0-100 0-100=100 +100-200 +200-300 100-200=900 . 200-300=900 +900-1000 +1000-1100 .", "flight 2, wants 900, limit 4, depth 2, losses 0, returns 0"},

		{"device restarted", 2000, 4, "+0-100 0-100=100 +100-200 +200-300 100-200=0 . 200-300=0 +0-100 . 0-100=100 +100-200 +200-300 +300-400 .",
			"flight 3, wants 100, limit 4, depth 3, losses 0, returns 1"},
		{"device restarted twice", 2000, 1, "+0-100 0-100=100 +100-200 100-200=0 +0-100 0-100=100 +100-200 100-200=0 +0-100 .", "flight 1, wants 0, limit 1, depth 1, losses 0, returns 2"},
		{"device restarted three times", 2000, 1, "+0-100 0-100=100 +100-200 100-200=0 +0-100 0-100=100 +100-200 100-200=0 +0-100 0-100=100 +100-200 100-200=0 .",
			"transfer makes no progress: the device went back 3 times, now to offset 0"},
		{"steps backwards", 2000, 1, "+0-100 0-100=700 +700-800 700-800=300 +300-400 300-400=200 +200-300 200-300=100 .",
			"transfer makes no progress: the device went back 3 times, now to offset 100"},

		{"last answer lost, image there", 200, 1, "+0-100 0-100=100 +100-200 !100-200 +100-200 100-200=0 . have .", "finished, wants 200, limit 1, depth 1, losses 1, returns 0"},
		{"doubt lasts until it is resolved", 200, 1, "+0-100 0-100=100 +100-200 100-200=0 . .", "doubtful, wants 100, limit 1, depth 1, losses 0, returns 0"},
		{"restarted at the last chunk", 200, 1, "+0-100 0-100=100 +100-200 100-200=0 . not +0-100 .", "flight 1, wants 0, limit 1, depth 1, losses 0, returns 1"},
		{"doubted for ever", 200, 1, "+0-100 0-100=100 +100-200 100-200=0 not +0-100 0-100=100 +100-200 100-200=0 not +0-100 0-100=100 +100-200 100-200=0 not .",
			"transfer makes no progress: the device went back 3 times, now to offset 0"},
		{"only chunk answered with 0", 50, 1, "+0-50 0-50=0 +0-50 .", "flight 1, wants 0, limit 1, depth 1, losses 1, returns 0"},

		{"busy", 2000, 4, "+0-100 0-100=100 +100-200 +200-300 ~100-200 . 200-300=100 +100-200 +200-300 .", "flight 2, wants 100, limit 4, depth 2, losses 0, returns 0"},
		{"busy at first", 2000, 4, "+0-100 ~0-100 +0-100 .", "flight 1, wants 0, limit 4, depth 1, losses 0, returns 0"},

		{"beyond the end", 200, 1, "+0-100 0-100=201 .", "device wants offset 201 of 200"},
		{"before the start", 200, 1, "+0-100 0-100=-1 .", "device wants offset -1 of 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWindow(tt.size, newPace(tt.limit, 1))
			for i, step := range strings.Fields(tt.script) {
				if err := play(w, step); err != nil {
					t.Fatalf("step %d, %s: %v", i, step, err)
				}
			}
			if got := describe(w); got != tt.want {
				t.Errorf("window: %s\nwant:   %s", got, tt.want)
			}
		})
	}
}

// play runs one step of a script.
func play(w *window, step string) error {
	fit := func(off int) int { return off - off%100 + 100 }
	switch step {
	case ".", "have", "not":
		if step != "." {
			w.resolve(step == "have")
		} else if c, ok := w.take(fit); ok {
			return fmt.Errorf("window gives %d-%d", c.off, c.end)
		}
		return nil
	}
	var off, end, answer int
	switch step[0] {
	case '+':
		c, ok := w.take(fit)
		if got := fmt.Sprintf("+%d-%d", c.off, c.end); !ok || got != step {
			return fmt.Errorf("window gives %s, %v", got, ok)
		}
		return nil
	case '!', '~':
		fmt.Sscanf(step[1:], "%d-%d", &off, &end)
	default:
		fmt.Sscanf(step, "%d-%d=%d", &off, &end, &answer)
	}
	c, older := find(w, off, end)
	if c.id == 0 {
		return fmt.Errorf("no such chunk in flight: %v", w.flight)
	}
	switch step[0] {
	case '!':
		w.lose(c)
	case '~':
		w.pause(c)
	default:
		if lost := w.ack(c, answer); fmt.Sprint(lost) != fmt.Sprint(older) {
			return fmt.Errorf("lost %v, want the older ones %v", lost, older)
		}
	}
	return nil
}

// find returns the oldest chunk in flight with these offsets, and those before it.
func find(w *window, off, end int) (chunk, []chunk) {
	for i, c := range w.flight {
		if c.off == off && c.end == end {
			return c, append([]chunk(nil), w.flight[:i]...)
		}
	}
	return chunk{}, nil
}

func describe(w *window) string {
	state := fmt.Sprintf("flight %d", len(w.flight))
	switch {
	case w.failed != nil:
		return w.failed.Error()
	case w.finished:
		state = "finished"
	case w.doubtful:
		state = "doubtful"
	}
	return fmt.Sprintf("%s, wants %d, limit %d, depth %d, losses %d, returns %d", state, w.wanted, w.pace.depth.now, w.depth, w.losses, w.returns)
}

// News of a chunk that is no longer in flight must not touch its second copy.
func TestWindowKnowsChunksById(t *testing.T) {
	w := newWindow(1000, newPace(1, 1))
	fit := func(off int) int { return off + 100 }
	first, _ := w.take(fit)
	w.lose(first)
	again, _ := w.take(fit)
	before := describe(w)
	w.lose(first)
	w.pause(first)
	if lost := w.ack(first, 100); lost != nil || describe(w) != before {
		t.Errorf("late news changed the window: %v, %s, want %s", lost, describe(w), before)
	}
	w.ack(again, 100)
	if got, want := describe(w), "flight 0, wants 100, limit 1, depth 1, losses 0, returns 0"; got != want {
		t.Errorf("window: %s, want %s", got, want)
	}
}

func TestWindowPanicsOnAnEmptyChunk(t *testing.T) {
	defer func() {
		if got := recover(); got != "smp: empty chunk at 0" {
			t.Errorf("recovered %v", got)
		}
	}()
	newWindow(100, newPace(1, 1)).take(func(off int) int { return off })
}
