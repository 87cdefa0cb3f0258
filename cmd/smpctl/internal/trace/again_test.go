package trace

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// piece is a request of an upload to the image group.
func piece(offset, length int) string {
	return "\xa2coff\x19" + twoBytes(offset) + "ddata\x59" + twoBytes(length) + strings.Repeat("\x5a", length)
}

// wants is an answer to it.
func wants(offset int) string { return "\xa1coff\x19" + twoBytes(offset) }

func twoBytes(n int) string { return string([]byte{byte(n >> 8), byte(n)}) }

// TestAgain: what counts as sent once more, and what does not.
func TestAgain(t *testing.T) {
	ask := func(ms float64, seq uint8) string { return sent(ms, smp.GroupImage, 0, seq, "\xa0") }
	state := func(ms float64, seq uint8, payload string) string {
		return received(ms, smp.GroupImage, 0, seq, payload)
	}
	chunk := func(ms float64, seq uint8, offset, length int) string {
		return sent(ms, smp.GroupImage, 1, seq, piece(offset, length))
	}
	taken := func(ms float64, seq uint8, offset int) string {
		return received(ms, smp.GroupImage, 1, seq, wants(offset))
	}
	older := traced(9, '>', append([]byte("\x02\x00\x00\x01\x00\x01\x09\x00"), 0xa0)) // version 1
	for _, tt := range []struct {
		name  string
		lines []string
		want  []string // remarks at what was sent
	}{
		{"asked once", []string{ask(0, 1)}, []string{""}},
		{"no answer", []string{ask(0, 1), ask(3000, 2), ask(6500, 3)},
			[]string{"", "again: try 2 after 3000.0 ms", "again: try 3 after 3500.0 ms"}},
		{"in another version", []string{ask(0, 1), older}, []string{"", "again: try 2 after 9.0 ms"}},
		{"answered in between", []string{ask(0, 1), state(1, 1, "\xa0"), ask(2, 2)}, []string{"", ""}},
		{"refused in between", []string{ask(0, 1), state(1, 1, "\xa1\x62rc\x01"), ask(2, 2)}, []string{"", ""}},
		{"busy in between", []string{ask(0, 1), state(1, 1, "\xa1\x62rc\x0a"), ask(2, 2)},
			[]string{"", "again: try 2 after 2.0 ms"}},
		{"the first answered late", []string{ask(0, 1), ask(3000, 2), state(3001, 1, "\xa0"), ask(3002, 3)},
			[]string{"", "again: try 2 after 3000.0 ms", ""}},
		{"on another connection", []string{ask(0, 1), "# smp trace\n", ask(2, 2)}, []string{"", ""}},
		{"another command", []string{ask(0, 1), sent(1, smp.GroupImage, 5, 2, "\xa0")}, []string{"", ""}},
		{"another payload", []string{ask(0, 1), sent(1, smp.GroupImage, 0, 2, "\xa1aa\x00")}, []string{"", ""}},
		{"upload", []string{chunk(0, 1, 0, 300), taken(1, 1, 300), chunk(2, 2, 300, 300), taken(3, 2, 600),
			chunk(4, 3, 600, 9)}, []string{"", "", ""}},
		{"lost chunk", []string{chunk(0, 1, 0, 300), taken(1, 1, 300), chunk(2, 2, 300, 300), chunk(3, 3, 600, 300),
			taken(4, 3, 300), chunk(5, 4, 300, 300), chunk(6, 5, 600, 300), taken(7, 4, 600), taken(8, 5, 900),
			chunk(9, 6, 900, 300)},
			[]string{"", "", "", "again: try 2 after 3.0 ms", "again: try 2 after 3.0 ms", ""}},
		{"lost chunk, sent as shorter ones",
			[]string{chunk(0, 1, 300, 300), chunk(5, 2, 300, 200), chunk(6, 3, 500, 200),
				chunk(7, 4, 700, 200)}, []string{"", "again: try 2 after 5.0 ms", "again: cut anew", ""}},
		{"another upload", []string{chunk(0, 1, 0, 300), taken(1, 1, 300), chunk(2, 2, 300, 300), chunk(3, 3, 0, 100),
			taken(4, 3, 100), chunk(5, 4, 100, 100), chunk(6, 5, 200, 100), chunk(7, 6, 300, 100)},
			[]string{"", "", "", "", "", ""}},
		{"first chunk lost", []string{chunk(0, 1, 0, 300), chunk(60000, 2, 0, 300)},
			[]string{"", "again: try 2 after 60000.0 ms"}},
		{"file", []string{sent(0, smp.GroupFS, 0, 1, piece(300, 9)), sent(1, smp.GroupFS, 0, 2, piece(300, 9))},
			[]string{"", "again: try 2 after 1.0 ms"}},
		{"an answer that is none", []string{chunk(0, 1, 300, 9), received(1, smp.GroupImage, 1, 1, "\xff"),
			chunk(2, 2, 300, 9)}, []string{"", "again: try 2 after 2.0 ms"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, row := range rowsOf(t, tt.lines...) {
				if strings.Contains(row, " > ") {
					remark, _, _ := strings.Cut(row[indent:], "  ")
					_, remark, _ = strings.Cut(remark, ", ")
					got = append(got, remark)
				}
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestManyUnanswered: what is kept of requests is bounded, whatever is never answered.
func TestManyUnanswered(t *testing.T) {
	var table table
	for i := range 3 * mostWaiting {
		table.add(nil, sent(0, smp.GroupOS, 0, uint8(i), fmt.Sprintf("\x64%04x", i)), time.Time{}, 0)
	}
	if n := len(table.conversation.waiting); n > mostWaiting {
		t.Errorf("%d requests are kept, want at most %d", n, mostWaiting)
	}
}
