package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/fleet"
)

// boards are so many, with the names b0, b1, …
func boards(n int) []fleet.Board {
	all := make([]fleet.Board, n)
	for i := range all {
		all[i].Name = fmt.Sprintf("b%d", i)
	}
	return all
}

// told is a report in words.
func told[R any](reports []fleet.Report[R]) (texts []string) {
	for _, r := range reports {
		text := fmt.Sprintf("%s: %v, %d tries, %v", r.Board.Name, r.Value, r.Attempts, r.Took)
		if r.Err != nil {
			first, _, _ := strings.Cut(r.Err.Error(), "\n")
			text += ", " + first
		}
		texts = append(texts, text)
	}
	return texts
}

// work sleeps as if a device were at work.
func work(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func TestRunReportsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := boards(4)
		refused[1].Refused = &fleet.ClashError{Boards: []candidate{{Serial: "S"}, {}}}
		began := time.Now()
		reports := fleet.Run(t.Context(), refused, fleet.Options{},
			func(ctx context.Context, b fleet.Board) (string, error) {
				switch b.Name {
				case "b0":
					return "slow", work(ctx, 3*time.Second)
				case "b2":
					return "half", errors.New("broken")
				}
				return "quick", work(ctx, time.Second)
			})
		want := []string{
			"b0: slow, 1 tries, 3s",
			"b1: , 0 tries, 0s, " + refused[1].Refused.Error(),
			"b2: half, 1 tries, 0s, broken",
			"b3: quick, 1 tries, 1s",
		}
		if diff := cmp.Diff(want, told(reports)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v in all, want that of the slowest", took)
		}
	})
}

func TestRunJobs(t *testing.T) {
	tests := []struct{ boards, jobs, most int }{
		{10, 0, 10}, {10, 3, 3}, {10, 1, 1}, {10, 20, 10}, {100, 0, fleet.MaxJobs}, {100, 80, fleet.MaxJobs},
		{10, -1, 10}, {0, 0, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d boards, %d jobs", test.boards, test.jobs), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var now, most int
				var order []string
				reports := fleet.Run(t.Context(), boards(test.boards), fleet.Options{Jobs: test.jobs},
					func(ctx context.Context, b fleet.Board) (int, error) {
						mu.Lock()
						now++
						most = max(most, now)
						order = append(order, b.Name)
						mu.Unlock()
						err := work(ctx, time.Second)
						mu.Lock()
						now--
						mu.Unlock()
						return 0, err
					})
				if most != test.most || len(reports) != test.boards {
					t.Errorf("%d at a time and %d reports, want %d and %d", most, len(reports), test.most, test.boards)
				}
				if test.jobs == 1 && !cmp.Equal(order, told0(reports)) {
					t.Errorf("worked on in the order %v", order)
				}
			})
		})
	}
}

// told0 are the names in the order of the reports.
func told0[R any](reports []fleet.Report[R]) (names []string) {
	for _, r := range reports {
		names = append(names, r.Board.Name)
	}
	return names
}

func TestRunTriesAgain(t *testing.T) {
	silent := fmt.Errorf("echo: %w", smp.ErrNoReply)
	tests := []struct {
		name    string
		options fleet.Options
		fails   []error // of each try; then it works
		want    string
	}{
		{"not without being asked to", fleet.Options{}, []error{silent}, "b0: 1, 1 tries, 1s, echo: no reply"},
		{"silence", fleet.Options{Retry: 1}, []error{silent}, "b0: 2, 2 tries, 3s"},
		{"the device does not come back", fleet.Options{Retry: 1}, []error{dfu.ErrNotBack}, "b0: 2, 2 tries, 3s"},
		{"the connection ends", fleet.Options{Retry: 2}, []error{smp.ErrClosed, smp.ErrClosed}, "b0: 3, 3 tries, 5s"},
		{"as often as allowed", fleet.Options{Retry: 1}, []error{silent, silent}, "b0: 2, 2 tries, 3s, echo: no reply"},
		{"a refusal stays one", fleet.Options{Retry: 3}, []error{&smp.DeviceError{Command: "echo", Global: true, Code: 8}},
			"b0: 1, 1 tries, 1s, echo: device refused: the device does not have this command (rc 8 ENOTSUP)"},
		{"what the caller says", fleet.Options{Retry: 3, Again: func(err error) bool { return err.Error() == "mine" }},
			[]error{errors.New("mine"), silent}, "b0: 2, 2 tries, 3s, echo: no reply"},
		{"a bug in what the caller says", fleet.Options{Retry: 3, Again: func(error) bool { panic("oh") }},
			[]error{silent}, "b0: 1, 1 tries, 1s, bug: panic: oh"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reports := fleet.Run(t.Context(), boards(1), test.options,
					func(ctx context.Context, b fleet.Board) (int, error) {
						err := work(ctx, time.Second)
						if b.Attempt <= len(test.fails) {
							err = test.fails[b.Attempt-1]
						}
						return b.Attempt, err
					})
				if got := told(reports)[0]; got != test.want {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
			})
		})
	}
}

// TestRunSurvivesBugs: a bug in the work with one board ends nothing else.
func TestRunSurvivesBugs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("index out of range")
		always := func(error) bool { return true }
		reports := fleet.Run(t.Context(), boards(5), fleet.Options{Jobs: 1, Retry: 2, Again: always},
			func(ctx context.Context, b fleet.Board) (string, error) {
				switch b.Name {
				case "b0":
					panic("oh")
				case "b1":
					panic(broken)
				case "b2":
					panic(nil)
				case "b3":
					runtime.Goexit()
				}
				return "fine", nil
			})
		want := []string{
			"b0: , 1 tries, 0s, bug: panic: oh",
			"b1: , 1 tries, 0s, bug: panic: index out of range",
			"b2: , 1 tries, 0s, bug: panic: panic called with nil argument",
			"b3: , 1 tries, 0s, bug: the work ended its goroutine",
			"b4: fine, 1 tries, 0s",
		}
		if diff := cmp.Diff(want, told(reports)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		var bug *fleet.PanicError
		if !errors.As(reports[0].Err, &bug) || !strings.Contains(string(bug.Stack), "TestRunSurvivesBugs") {
			t.Errorf("the stack does not say where: %v", reports[0].Err)
		}
		if !errors.Is(reports[1].Err, broken) {
			t.Errorf("%v is not the error of the panic", reports[1].Err)
		}
	})
}

// TestRunStops: with the end of ctx every board has a report, and nothing is tried again.
func TestRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("stopped by the user")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1500*time.Millisecond, func() { cancel(stop) })
		began := time.Now()
		reports := fleet.Run(ctx, boards(6), fleet.Options{Jobs: 3, Retry: 5, Again: func(error) bool { return true }},
			func(ctx context.Context, b fleet.Board) (string, error) {
				switch b.Name {
				case "b0":
					return "done", work(ctx, time.Second)
				case "b1": // stopped in its pause
					return "silent", errors.Join(work(ctx, time.Second), smp.ErrNoReply)
				case "b2": // done all the same
					_ = work(ctx, time.Minute)
					return "late", nil
				case "b3":
					return "stopped", work(ctx, time.Minute)
				}
				return "never", nil
			})
		want := []string{
			"b0: done, 1 tries, 1s",
			"b1: silent, 1 tries, 1.5s, no reply",
			"b2: late, 1 tries, 1.5s",
			"b3: stopped, 1 tries, 500ms, stopped by the user",
			"b4: , 0 tries, 0s, stopped by the user",
			"b5: , 0 tries, 0s, stopped by the user",
		}
		if diff := cmp.Diff(want, told(reports)); diff != "" || time.Since(began) != 1500*time.Millisecond {
			t.Errorf("after %v, -want +got:\n%s", time.Since(began), diff)
		}
	})
}

func TestRunNotBegun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reports := fleet.Run(ctx, boards(20), fleet.Options{}, func(context.Context, fleet.Board) (int, error) {
		t.Error("a board was touched")
		return 0, nil
	})
	for _, r := range reports {
		if !errors.Is(r.Err, context.Canceled) || r.Attempts != 0 {
			t.Errorf("%s: %d tries, %v, want none, canceled", r.Board.Name, r.Attempts, r.Err)
		}
	}
}

// TestRunEndsContexts: what a board's work left behind hears that it is over.
func TestRunEndsContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		fleet.Run(t.Context(), boards(1), fleet.Options{}, func(ctx context.Context, _ fleet.Board) (int, error) {
			go func() {
				<-ctx.Done()
				close(ended)
			}()
			return 0, nil
		})
		select {
		case <-ended:
		case <-time.After(time.Second):
			t.Error("the context goes on after the work")
		}
	})
}
