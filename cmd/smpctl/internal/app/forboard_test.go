package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
)

// On a terminal each board is a row, with what it is doing; of its news only warnings stay.
func TestBoardsOnTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := onTerminal(70)
		one, two := a.ForBoard("SN1", nil), a.ForBoard("SN0022", nil)
		one.Say("not shown")
		one.Step(app.Done, "upload", "not shown")
		w := one.Doing("reset", "waiting for the device")
		p := two.Progress("upload", "the first chunk")
		p.Update(smp.Progress{Done: 100, Total: 1000})
		time.Sleep(3 * time.Second)
		p.Update(smp.Progress{Done: 500, Total: 1000})
		two.Warn("the image is old")
		time.Sleep(time.Second)
		rows(t, s,
			"SN0022: warning: the image is old",
			"SN1     reset     waiting for the device … 4 s",
			"SN0022  upload    [==========>         ]  50%   0.1 kB/s   5 s left")
		p.Close()
		two.End()
		time.Sleep(time.Second)
		rows(t, s,
			"SN0022: warning: the image is old",
			"SN1  reset     waiting for the device … 5 s")
		w.Stop()
		one.End()
		one.End()
		rows(t, s, "SN0022: warning: the image is old")
	})
}

// In a log every line begins with its board, also one of several lines and one without an end.
func TestBoardsInLog(t *testing.T) {
	a, log := inLog()
	one, two := a.ForBoard("SN1", nil), a.ForBoard("SN2\x1b[2J", nil)
	one.Say("hello")
	two.Step(app.Plain, "device", "a port")
	_, _ = one.Err.Write([]byte("a table\nof two rows\nand half a"))
	two.Warn("bad")
	one.End()
	two.End()
	want := "SN1: hello\nSN2\\x1b[2J: device    a port\nSN1: a table\nSN1: of two rows\n" +
		"SN2\\x1b[2J: warning: bad\nSN1: and half a\n"
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bad"}, two.Warnings()); diff != "" || len(one.Warnings())+len(a.Warnings()) > 0 {
		t.Errorf("warnings: %s", diff)
	}
}

// With --json every event carries its board, and whoever watches hears it as well.
func TestBoardsInJSON(t *testing.T) {
	a, log := inLog()
	a.Flags.JSON = true
	var heard []app.Event
	one := a.ForBoard(`S"N`, func(e app.Event) { heard = append(heard, e) })
	one.Warn("bad")
	one.End()
	if want := `{"board":"S\"N","event":"warning","message":"bad"}` + "\n"; log.String() != want {
		t.Errorf("got %s, want %s", log, want)
	}
	if len(heard) != 1 || heard[0] != (app.WarningEvent{Event: "warning", Message: "bad"}) {
		t.Errorf("heard %+v", heard)
	}
}

// A bug in the work with one board ends that work, not the command.
func TestBugOfOneBoard(t *testing.T) {
	a, _ := inLog()
	for name, work := range map[string]func(*app.App) func(context.Context) (app.Result, error){
		"in the work": func(*app.App) func(context.Context) (app.Result, error) {
			return func(context.Context) (app.Result, error) { panic("a bug") }
		},
		"in a goroutine": func(c *app.App) func(context.Context) (app.Result, error) {
			return func(ctx context.Context) (app.Result, error) {
				c.Spawn(func() { panic("a bug") })
				<-ctx.Done()
				return nil, ctx.Err()
			}
		},
	} {
		c := a.ForBoard("SN1", nil)
		_, err := c.Do(t.Context(), work(c))
		c.End()
		var bug *failure.BugError
		if !errors.As(err, &bug) || !strings.Contains(err.Error(), "a bug") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.ForBoard("SN2", nil).Do(t.Context(), func(ctx context.Context) (app.Result, error) {
		return nil, ctx.Err()
	}); err != nil {
		t.Errorf("the next board: %v", err)
	}
}
