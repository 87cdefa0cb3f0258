package update_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// judge holds what was said against what the boards hold and run, and against the records.
func (x *experiment) judge() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if x.expect > len(x.boards) {
		if x.code != 3 && !(x.code == 130 && x.stop > 0) {
			say("exit code %d where boards are missing", x.code)
		}
		for i := range x.boards {
			if held(x.boards[i]) != x.before[i] {
				say("%s was written to, though boards are missing", x.names[i])
			}
		}
		return wrong
	}
	passed, tries := x.said(say)
	x.judgeCode(passed, say)
	x.judgeNews(say)
	for i, name := range x.names {
		x.judgeBoard(i, passed[name], say)
	}
	if x.record && x.exists("records") {
		x.judgeRecords(passed, tries, say)
	}
	return wrong
}

// said is who passed, as the command says, and with how many tries if it says that.
func (x *experiment) said(say func(string, ...any)) (passed map[string]bool, tries map[string]int) {
	passed, tries = map[string]bool{}, map[string]int{}
	if !x.json {
		n := 0
		for _, name := range x.names {
			if passed[name] = strings.Contains("\n"+x.err, "\n"+name+": passed "); passed[name] {
				n++
			}
		}
		if x.out != "" && !strings.Contains("\n"+x.out, fmt.Sprintf("\n%d of %d passed", n, len(x.names))) {
			say("%d passed, and the summary is another: %s", n, x.out)
		}
		return passed, nil
	}
	d, err := x.document()
	if err != nil {
		if x.stop == 0 || x.code != 130 {
			say("no document: %v: %s", err, x.err)
		}
		return passed, nil
	}
	if len(d.Boards) != len(x.boards) || d.Passed+d.Failed != len(x.boards) {
		say("%d boards in the document, %d passed, %d failed", len(d.Boards), d.Passed, d.Failed)
	}
	for _, b := range d.Boards {
		passed[b.Board], tries[b.Board] = b.Error == nil, b.Attempts
		if b.Attempts > 1+x.retry {
			say("%s: %d tries", b.Board, b.Attempts)
		}
	}
	return passed, tries
}

// judgeCode holds the exit code against who passed.
func (x *experiment) judgeCode(passed map[string]bool, say func(string, ...any)) {
	n := 0
	for _, ok := range passed {
		if ok {
			n++
		}
	}
	want := 8
	switch {
	case n == len(x.boards):
		want = 0
	case x.stop > 0 && x.code == 130:
		want = 130
	}
	if x.code != want {
		say("exit code %d, want %d: %d of %d passed: %s", x.code, want, n, len(x.boards), x.err)
	}
}

// judgeNews holds each line of news against its form: it begins with the board that it is about.
func (x *experiment) judgeNews(say func(string, ...any)) {
	for text := range strings.Lines(x.err) {
		own := strings.HasPrefix(text, "smpctl: ") || strings.HasPrefix(text, "hint: ") ||
			strings.HasPrefix(text, `{"error":`) ||
			strings.HasPrefix(text, `{"event":"waiting","text":"waiting for usb:`) ||
			strings.HasPrefix(text, "waiting for usb:") || strings.Contains(text, "the signature is not checked")
		for _, name := range x.names {
			own = own || strings.HasPrefix(text, name+": ") || strings.HasPrefix(text, `{"board":"`+name+`",`)
		}
		if !own {
			say("a line of nobody: %s", text)
		}
	}
}

// judgeBoard holds what was said of a board against what it holds and runs, now and after one more reset.
func (x *experiment) judgeBoard(i int, passed bool, say func(string, ...any)) {
	name, kind, d := x.names[i], x.line.boards[i], x.boards[i].Device()
	self := kind.fault == "pulled" || kind.fault == "dead" || kind.fault == "away" // it boots by itself
	switch {
	case x.mustLeave(i) && passed:
		say("%s passed, though it had to be left alone", name)
	case x.mustLeave(i) && held(x.boards[i]) != x.before[i]:
		say("%s was written to, though it had to be left alone", name)
	case x.mustLeave(i) && !self && d.Boots() != x.boots[i]:
		say("%s was reset, though it had to be left alone", name)
	case x.mustPass(i) && !passed:
		say("%s failed, and nothing was the matter with it: %s%s", name, x.out, x.err)
	case x.mustFail(i) && passed:
		say("%s passed, though it could not", name)
	}
	if kind.fault == "dead" || kind.fault == "mute" {
		return
	}
	for range 2 {
		version, _, ok := d.Running(0)
		switch {
		case !ok:
			say("%s does not run anything any more", name)
		case passed && x.command == "upgrade" && version.String() != "2.0.0+0":
			say("%s passed, and runs %s", name, version)
		case x.command != "upgrade" && version.String() != "1.0.0+0":
			say("%s runs %s, and nothing was to change", name, version)
		}
		d.PowerCycle()
		time.Sleep(10 * time.Second)
	}
}

// mustLeave reports whether a board has to be left alone.
func (x *experiment) mustLeave(i int) bool {
	k := x.line.boards[i]
	telling := 0 // boards that surely say their identity, which is the same
	for _, b := range x.line.boards {
		if b.fault == "" || b.fault == "picky" {
			telling++
		}
	}
	switch {
	case k.fault == "twin" && x.twins():
		return true
	case x.id != "":
		return telling > 1
	}
	return k.fault != "twin" && (k.before == "fail" || k.before == "measure")
}

// isSound reports whether nothing is the matter with any board.
func (x *experiment) isSound() bool {
	for i := range x.boards {
		if k := x.line.boards[i]; k.fault != "" {
			return false
		}
	}
	return x.command == "upgrade"
}

// mustPass reports whether nothing is the matter with a board, whatever is with the others.
func (x *experiment) mustPass(i int) bool {
	k := x.line.boards[i]
	fine := func(hook string) bool { return hook == "" || hook == "pass" }
	return k.fault == "" && fine(k.before) && fine(k.after) && x.stop == 0 && (x.id == "" || len(x.boards) == 1)
}

// mustFail reports whether a board cannot pass.
func (x *experiment) mustFail(i int) bool {
	k := x.line.boards[i]
	bad := func(hook string) bool { return hook == "fail" || hook == "measure" }
	upgrade := x.command == "upgrade"
	return k.fault == "mute" || k.fault == "held" || upgrade && (k.fault == "dead" || k.fault == "picky") ||
		x.id == "" && k.fault != "twin" && (bad(k.before) || bad(k.after))
}

// judgeRecords holds the records against what was said.
func (x *experiment) judgeRecords(passed map[string]bool, tries map[string]int, say func(string, ...any)) {
	dir := filepath.Join(x.dir, "records")
	if v, err := journal.Verify(dir, journal.VerifyOptions{}); err != nil || !v.Whole() {
		say("the records are not whole: %v, %v", err, v.Findings)
	}
	begun, ended, last := map[string]int{}, map[string]int{}, map[string]journal.Result{}
	for r, err := range journal.Read(dir) {
		if err != nil {
			say("records: %v", err)
			continue
		}
		name := x.nameAt(r.Board.Location)
		switch r.Event {
		case journal.Begin:
			begun[name]++
		case journal.End:
			ended[name]++
			last[name] = r.Result
			sound := r.Result != journal.Unknown && (r.Kind == "") == (r.Result == journal.Pass)
			if !sound || r.Fields["order"] != "4711" {
				say("%s: a record of no use: %+v", name, r)
			}
		}
	}
	for i, name := range x.names {
		switch {
		case begun[name] != ended[name]:
			say("%s: %d records begin and %d end", name, begun[name], ended[name])
		case passed[name] != (last[name] == journal.Pass):
			say("%s: passed is %v, and the record says %q", name, passed[name], last[name])
		case tries != nil && x.stop == 0 && tries[name] != begun[name]:
			say("%s: %d tries and %d records", name, tries[name], begun[name])
		case held(x.boards[i]) != x.before[i] && begun[name] == 0:
			say("%s was written to without a record", name)
		}
	}
}

// nameAt is the board that was in a place.
func (x *experiment) nameAt(place string) string {
	for i, name := range x.names {
		if location(i) == place {
			return name
		}
	}
	return "nobody at " + place
}
