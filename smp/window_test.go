package smp

import (
	"fmt"
	"slices"
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
//	?0-100     what became of the chunk is not known
//	have, not  the end of a doubt: the device has everything, or nothing
//
// News may be followed by what the window makes of it, as in 0-100=100:whole.
//
// Chunks end at multiples of 100; where two with the same offsets are in flight, the older is meant.
func TestWindow(t *testing.T) {
	tests := []struct {
		name       string
		size, most int
		script     string
		want       string
	}{
		{"one chunk", 50, 4, "+0-50 . 0-50=50:whole .", "finished, wants 50"},
		{"first and last travel alone", 300, 4,
			"+0-100 . 0-100=100:whole +100-200 . 100-200=200 +200-300 . 200-300=300", "finished, wants 300"},
		{"as many as may be", 2000, 3, "+0-100 . 0-100=100 +100-200 +200-300 +300-400 . 100-200=200:whole +400-500 .",
			"flight 3, wants 200"},
		{"one at a time", 400, 1, "+0-100 . 0-100=100 +100-200 . 100-200=200 +200-300 .", "flight 1, wants 200"},
		{"last chunk waits for the flight", 400, 4,
			"+0-100 0-100=100 +100-200 +200-300 . 100-200=200 . 200-300=300 +300-400 .", "flight 1, wants 300"},

		{"chunk lost on the way, found by the next answer", 2000, 2,
			"+0-100 0-100=100 +100-200 +200-300 200-300=100:lost +100-200 +200-300 .", "flight 2, wants 100"},
		{"what follows a loss is no further loss", 2000, 4,
			"+0-100 0-100=100 +100-200 +200-300 +300-400 +400-500 200-300=100:lost . 300-400=100:drained . " +
				"400-500=100:drained +100-200", "flight 1, wants 100"},
		{"answer lost, data arrived", 2000, 3,
			"+0-100 0-100=100 +100-200 +200-300 200-300=300:whole +300-400 +400-500 +500-600 .", "flight 3, wants 300"},
		{"all lost", 2000, 2, "+0-100 0-100=100 +100-200 +200-300 !100-200:lost . !200-300:drained +100-200",
			"flight 1, wants 100"},
		{"lost and never accepted", 2000, 1, "+0-100 !0-100:lost +0-100 0-100=0:lost +0-100", "flight 1, wants 0"},

		{"short accept goes on from there", 2000, 2,
			"+0-100 0-100=100 +100-200 +200-300 100-200=196:elsewhere . 200-300=196:drained +196-200 +200-300 " +
				"196-200=200:whole", "flight 1, wants 200"},
		{"short accept of the first chunk", 2000, 4, "+0-100 0-100=96:elsewhere +96-100 +100-200",
			"flight 2, wants 96"},
		{"resume", 2000, 4, "+0-100 0-100=700:elsewhere +700-800", "flight 1, wants 700"},
		{"everything there already", 2000, 4, "+0-100 0-100=2000:whole .", "finished, wants 2000"},
		{"jump forward", 2000, 2,
			"+0-100 0-100=100 +100-200 +200-300 100-200=900:elsewhere . 200-300=900:drained +900-1000 +1000-1100 .",
			"flight 2, wants 900"},

		{"device restarted", 2000, 2,
			"+0-100 0-100=100 +100-200 +200-300 100-200=0:back . 200-300=0:drained +0-100 . 0-100=100:whole +100-200",
			"flight 1, wants 100"},
		{"steps backwards", 2000, 1, "+0-100 0-100=700 +700-800 700-800=300:back +300-400 300-400=200:back +200-300",
			"flight 1, wants 200"},

		{"last answer lost, image there", 200, 1,
			"+0-100 0-100=100 +100-200 !100-200:lost +100-200 100-200=0:doubtful . have:whole .",
			"finished, wants 200"},
		{"doubt lasts until it is resolved", 200, 1, "+0-100 0-100=100 +100-200 100-200=0:doubtful . .",
			"doubtful, wants 100"},
		{"restarted at the last chunk", 200, 1, "+0-100 0-100=100 +100-200 100-200=0 . not:back +0-100",
			"flight 1, wants 0"},
		{"only chunk answered with 0", 50, 1, "+0-50 0-50=0:lost +0-50", "flight 1, wants 0"},
		{"a chunk that must not come twice", 50, 1, "+0-50 ?0-50 . not:lost +0-50", "flight 1, wants 0"},

		{"busy", 2000, 2, "+0-100 0-100=100 +100-200 +200-300 ~100-200 . 200-300=100:drained +100-200 +200-300 .",
			"flight 2, wants 100"},
		{"busy at first", 2000, 4, "+0-100 ~0-100 +0-100 .", "flight 1, wants 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &window{size: tt.size}
			for i, step := range strings.Fields(tt.script) {
				if err := play(w, tt.most, step); err != nil {
					t.Fatalf("step %d, %s: %v", i, step, err)
				}
			}
			if got := describe(w); got != tt.want {
				t.Errorf("window: %s\nwant:   %s", got, tt.want)
			}
		})
	}
}

var verdictNames = map[verdict]string{
	verdictStale: "stale", verdictWhole: "whole", verdictElsewhere: "elsewhere", verdictLost: "lost",
	verdictBack: "back", verdictDrained: "drained", verdictDoubtful: "doubtful",
}

// play runs one step of a script.
func play(w *window, most int, step string) error {
	step, want, judged := strings.Cut(step, ":")
	v, err := playStep(w, most, step)
	if err == nil && judged && verdictNames[v] != want {
		return fmt.Errorf("the window says %s", verdictNames[v])
	}
	return err
}

func playStep(w *window, most int, step string) (verdict, error) {
	switch step {
	case "have":
		return w.resolve(w.size), nil
	case "not":
		return w.resolve(0), nil
	case ".":
		if c, ok := w.take(most, hundreds); ok {
			return 0, fmt.Errorf("window gives %d-%d", c.off, c.end)
		}
		return 0, nil
	}
	if step[0] == '+' {
		c, ok := w.take(most, hundreds)
		if got := fmt.Sprintf("+%d-%d", c.off, c.end); !ok || got != step {
			return 0, fmt.Errorf("window gives %s, %v", got, ok)
		}
		return 0, nil
	}
	var off, end, answer int
	fmt.Sscanf(strings.TrimLeft(step, "!~?"), "%d-%d=%d", &off, &end, &answer)
	i := slices.IndexFunc(w.flight, func(c chunk) bool { return c.off == off && c.end == end })
	if i < 0 {
		return 0, fmt.Errorf("no such chunk in flight: %v", w.flight)
	}
	c := w.flight[i]
	switch step[0] {
	case '!':
		return w.lose(c), nil
	case '~':
		w.postpone(c)
	case '?':
		w.doubt(c)
	default:
		v := w.ack(c, answer)
		if len(w.flight) > 0 && w.flight[0].id <= c.id {
			return v, fmt.Errorf("older chunks still in flight: %v", w.flight)
		}
		return v, nil
	}
	return 0, nil
}

func hundreds(off int) int { return off - off%100 + 100 }

func describe(w *window) string {
	state := fmt.Sprintf("flight %d", len(w.flight))
	switch {
	case w.finished:
		state = "finished"
	case w.doubtful:
		state = "doubtful"
	}
	return fmt.Sprintf("%s, wants %d", state, w.wanted)
}

// News of a chunk that is no longer in flight must not touch its second copy.
func TestWindowKnowsChunksById(t *testing.T) {
	w := &window{size: 1000}
	fit := func(off int) int { return off + 100 }
	first, _ := w.take(1, fit)
	w.lose(first)
	again, _ := w.take(1, fit)
	before := describe(w)
	w.postpone(first)
	w.doubt(first)
	if a, b := w.lose(first), w.ack(first, 100); a != verdictStale || b != verdictStale || describe(w) != before {
		t.Errorf("late news changed the window: %v, %v, %s, want %s", a, b, describe(w), before)
	}
	w.ack(again, 100)
	if got, want := describe(w), "flight 0, wants 100"; got != want {
		t.Errorf("window: %s, want %s", got, want)
	}
}

func TestWindowPanicsOnAnEmptyChunk(t *testing.T) {
	defer func() {
		if got := recover(); got != "smp: empty chunk at 0" {
			t.Errorf("recovered %v", got)
		}
	}()
	(&window{size: 100}).take(1, func(off int) int { return off })
}
