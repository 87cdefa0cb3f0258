package app_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/smp"
)

// onTerminal is an app on a terminal of so many columns.
func onTerminal(width int, variables ...string) (*app.App, *clitest.Screen) {
	s := clitest.NewScreen(width)
	env := func(name string) (string, bool) {
		for _, v := range append(variables, "TERM=xterm") {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
	streams := app.Streams{Out: s, Err: s, OutTTY: true, ErrTTY: true, OutColumns: s.Width, ErrColumns: s.Width}
	return app.New(streams, env), s
}

// inLog is an app whose standard error is a file.
func inLog() (*app.App, *bytes.Buffer) {
	var log bytes.Buffer
	return app.New(app.Streams{Out: &log, Err: &log}, nil), &log
}

func rows(t *testing.T, s *clitest.Screen, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(s.Rows(), "\n")); diff != "" {
		t.Errorf("the screen (-want +got):\n%s", diff)
	}
}

// What is waited for is shown once a person wonders, with how long it has taken, and leaves nothing behind.
func TestWaitOnTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := onTerminal(40)
		w := a.Wait("the bootloader")
		time.Sleep(250 * time.Millisecond)
		rows(t, s)
		time.Sleep(200 * time.Millisecond)
		rows(t, s, "waiting for the bootloader")
		time.Sleep(3 * time.Second)
		a.Say("something")
		rows(t, s, "something", "waiting for the bootloader … 3 s")
		s.Resize(20)
		time.Sleep(time.Minute)
		rows(t, s, "something", "wait … 1 min 3 s")
		w.Stop()
		w.Stop()
		rows(t, s, "something")
	})
}

// The part that is due is shown in the place of the whole.
func TestWaitForParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := onTerminal(60)
		all := a.WaitAnswer("sim:")
		step := a.Doing("reset", "waiting for the device").Now()
		rows(t, s, "reset     waiting for the device")
		short := a.Doing("verify", "looking")
		time.Sleep(200 * time.Millisecond)
		rows(t, s, "reset     waiting for the device")
		short.Stop()
		step.Stop()
		rows(t, s)
		time.Sleep(time.Second)
		rows(t, s, "waiting for an answer from sim: … 1 s")
		all.Stop()
		rows(t, s)
		var none *app.Waiting
		none.Stop()
	})
}

// A log has one line of it, and none of what is soon over or told of in parts.
func TestWaitInLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, log := inLog()
		a.Wait("nobody").Stop()
		outer := a.WaitAnswer("sim:")
		step := a.Doing("confirm", "confirming the image")
		time.Sleep(10 * time.Second)
		step.Stop()
		outer.Stop()
		w := a.Wait("the board")
		time.Sleep(10 * time.Second)
		w.Stop()
		a.Doing("reset", "waiting for the device").Now().Stop()
		time.Sleep(time.Second)
		want := "confirm   confirming the image\nwaiting for the board\nreset     waiting for the device\n"
		if got := log.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Programs get an event; of steps they have others.
func TestWaitForPrograms(t *testing.T) {
	for quiet, want := range map[bool]string{
		false: `{"event":"waiting","text":"waiting for the board","seconds":0.3}` + "\n",
		true:  "",
	} {
		synctest.Test(t, func(t *testing.T) {
			a, log := inLog()
			a.Flags.JSON, a.Flags.Quiet = true, quiet
			w := a.Wait("the board")
			time.Sleep(5 * time.Second)
			w.Stop()
			step := a.Doing("reset", "waiting for the device").Now()
			time.Sleep(5 * time.Second)
			step.Stop()
			if got := log.String(); got != want {
				t.Errorf("quiet %v: got %q, want %q", quiet, got, want)
			}
		})
	}
}

// transferring sends so many chunks, one in each interval.
func transferring(a *app.App, chunks int, every time.Duration, look func(chunk int)) {
	p := a.Progress("upload", "the first chunk")
	for i := range chunks {
		time.Sleep(every)
		p.Update(smp.Progress{Done: (i + 1) * 1000, Total: chunks * 1000})
		if look != nil {
			look(i)
		}
	}
	p.Close()
}

func TestProgressOnTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := onTerminal(80)
		a.Say("first")
		go transferring(a, 100, time.Second, nil)
		time.Sleep(900 * time.Millisecond)
		rows(t, s, "first", "upload    the first chunk")
		time.Sleep(200 * time.Millisecond)
		rows(t, s, "first", "upload    [>                  ]   1%    1.0 of 100.0 kB")
		time.Sleep(49 * time.Second)
		a.Say("second")
		rows(t, s, "first", "second", "upload    [=========>         ]  50%   50.0 of 100.0 kB   1.0 kB/s  50 s left")
		time.Sleep(time.Minute)
		rows(t, s, "first", "second")
	})
}

// What takes five milliseconds has no line in a log, and what takes minutes has one for each tenth.
func TestProgressInLog(t *testing.T) {
	tests := []struct {
		chunks int
		every  time.Duration
		want   string
	}{
		{25, 200 * time.Microsecond, ""},
		{25, 30 * time.Millisecond, ""},
		{30, 100 * time.Millisecond, "upload     33%  10.0 of 30.0 kB, 10.0 kB/s, 2 s left\n" +
			"upload     66%  20.0 of 30.0 kB, 10.0 kB/s, 1 s left\n"},
		{100, time.Minute, ""},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			a, log := inLog()
			transferring(a, tt.chunks, tt.every, nil)
			got := log.String()
			if tt.every == time.Minute {
				begins := strings.HasPrefix(got, "upload    the first chunk\nupload     10%  ")
				if strings.Count(got, "\n") != 10 || !begins {
					t.Errorf("got %q, want ten lines", got)
				}
			} else if got != tt.want {
				t.Errorf("%d chunks, one each %v: got %q, want %q", tt.chunks, tt.every, got, tt.want)
			}
		})
	}
}

// A resumed upload does not count what was there before as speed.
func TestProgressResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := onTerminal(80)
		p := a.Progress("upload", "the first chunk")
		time.Sleep(time.Second)
		p.Update(smp.Progress{Done: 90_000, Total: 100_000})
		time.Sleep(time.Second)
		p.Update(smp.Progress{Done: 91_000, Total: 100_000})
		time.Sleep(100 * time.Millisecond)
		rows(t, s, "upload    [=================> ]  91%   91.0 of 100.0 kB   0.9 kB/s  10 s left")
		p.Close()
	})
}

// An app draws on terminals that take it, and never elsewhere.
func TestWhereItDraws(t *testing.T) {
	tests := []struct {
		name         string
		width        int
		variables    []string
		line, styled bool
	}{
		{"terminal", 80, nil, true, true},
		{"no colour", 80, []string{"NO_COLOR=1"}, true, false},
		{"empty is none", 80, []string{"NO_COLOR="}, true, true},
		{"dumb", 80, []string{"TERM=dumb"}, false, false},
		{"unknown", 80, []string{"TERM=unknown"}, false, false},
		{"no size", 0, nil, false, false},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			a, s := onTerminal(max(tt.width, 1), tt.variables...)
			if tt.width == 0 {
				var out bytes.Buffer
				a = app.New(app.Streams{Out: &out, Err: &out, ErrTTY: true, ErrColumns: func() int { return 0 }},
					func(string) (string, bool) { return "xterm", true })
				defer func() {
					if strings.ContainsAny(out.String(), "\r\x1b") {
						t.Errorf("%s: got %q", tt.name, out.String())
					}
				}()
			}
			a.Step(app.Done, "upload", "done")
			w := a.Wait("it")
			time.Sleep(350 * time.Millisecond)
			synctest.Wait()
			got := s.Rows()
			if tt.line && !slices.Equal(got, []string{"upload    done", "waiting for it"}) {
				t.Errorf("%s: %q", tt.name, got)
			}
			if a.News.Live() != tt.line || s.Styled() != tt.styled {
				t.Errorf("%s: a line that changes %v, colours %v; want %v, %v",
					tt.name, a.News.Live(), s.Styled(), tt.line, tt.styled)
			}
			w.Stop()
			synctest.Wait()
		})
	}
}

// A wait that is over when the command ends leaves no goroutine and no timer: the bubble would not end.
func TestStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := onTerminal(80)
		a.Wait("nobody")
		time.Sleep(time.Second)
		a.Still()
		rows(t, s)
	})
}
