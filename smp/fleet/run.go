package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// Options adjust a run. The zero value works on all boards at once and tries each once.
type Options struct {
	Jobs  int // boards at a time, at most [MaxJobs]; 0: as many as there are
	Retry int // more tries of a board whose error Again accepts; 0: none
	// Again reports whether another try may help; it is called from several goroutines. nil: [Silent].
	Again func(error) bool
}

// MaxJobs is how many boards are worked on at a time at most, so that what a process needs has a bound.
const MaxJobs = 64

// retryPause is the time between two tries of a board: a hub that has just lost it needs some.
const retryPause = time.Second

// Report is what came of one board.
type Report[R any] struct {
	Board    Board
	Value    R             // of the last try; as far as it goes, also with an error
	Err      error         // nil: passed. A board that was refused has [Board.Refused] here
	Attempts int           // tries that were begun; 0 if the board was not touched
	Took     time.Duration // from the first try to the end of the last one
}

// Silent reports whether a board failed because it does not answer, any more or in time, or its connection ended: what
// another try may cure.
func Silent(err error) bool {
	return errors.Is(err, smp.ErrNoReply) || errors.Is(err, smp.ErrClosed) || errors.Is(err, dfu.ErrNotBack)
}

// Run does something with each board and returns one report of each, in their order. A board that a plan refused gets
// its report without being touched.
//
// No board stops, delays or fails another: a panic in the work becomes a [*PanicError] of that board. do is called from
// several goroutines, for one board never twice at a time. Its context ends when it returns, or with ctx, and do has to
// return soon then: Run waits for it. Boards whose turn has not come by then report the cause of ctx, and no try is
// made again.
func Run[R any](
	ctx context.Context, boards []Board, o Options, do func(context.Context, Board) (R, error),
) []Report[R] {
	return run(ctx, boards, o, func(ctx context.Context, _ int, b Board) (R, error) { return do(ctx, b) })
}

// work is what is done with the board of this index.
type work[R any] func(ctx context.Context, i int, b Board) (R, error)

func run[R any](ctx context.Context, boards []Board, o Options, do work[R]) []Report[R] {
	reports := make([]Report[R], len(boards))
	turns := make(chan struct{}, o.jobs(len(boards)))
	var working sync.WaitGroup
	for i, b := range boards {
		r := &reports[i]
		r.Board = b
		switch {
		case b.Refused != nil:
			r.Err = b.Refused
			continue
		case !enter(ctx, turns):
			r.Err = context.Cause(ctx)
			continue
		}
		working.Go(func() {
			defer func() { <-turns }()
			r.carryOut(ctx, o, func(ctx context.Context, b Board) (R, error) { return do(ctx, i, b) })
		})
	}
	working.Wait()
	return reports
}

func (o Options) jobs(boards int) int {
	if o.Jobs <= 0 {
		return min(max(boards, 1), MaxJobs)
	}
	return min(o.Jobs, MaxJobs)
}

// enter waits for a turn, and reports whether it came before ctx ended.
func enter(ctx context.Context, turns chan<- struct{}) bool {
	if ctx.Err() != nil { // with both ready, select picks at random
		return false
	}
	select {
	case turns <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// carryOut tries until it worked, no try is left, or another one would not help. A bug ends it.
func (r *Report[R]) carryOut(ctx context.Context, o Options, do func(context.Context, Board) (R, error)) {
	began, returned := time.Now(), false
	defer func() {
		if !returned {
			r.Err = panicked(recover())
		}
		r.Took = time.Since(began)
	}()
	again := o.Again
	if again == nil {
		again = Silent
	}
	for more := true; more; {
		r.Attempts++
		r.Value, r.Err = r.attempt(ctx, do)
		more = r.Err != nil && r.Attempts <= o.Retry && again(r.Err) && pause(ctx)
	}
	returned = true
}

// attempt is one try.
func (r *Report[R]) attempt(ctx context.Context, do func(context.Context, Board) (R, error)) (R, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := r.Board
	b.Attempt = r.Attempts
	return do(ctx, b)
}

// pause waits before the next try, and reports whether ctx goes on.
func pause(ctx context.Context) bool {
	t := time.NewTimer(retryPause)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
