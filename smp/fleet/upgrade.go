package fleet

import (
	"context"

	"github.com/smpctl/smpctl/smp/dfu"
)

// Target is a board and the way to it.
type Target struct {
	Board
	Dial dfu.Dial // has to reach this board and no other, after each of its resets too

	// OnEvent and Check are those of this board, each called from one goroutine at a time. nil: those of the
	// [dfu.Options], which are called from several at once.
	OnEvent func(dfu.Event)
	Check   func(context.Context) error
}

// Upgrade brings the images onto all boards, as [dfu.Run] does, and returns one report of each, in their order. The
// images are read, not changed, and shared by all. See [Run] for what blocks and for errors.
func Upgrade(ctx context.Context, boards []Target, images []dfu.Target, u dfu.Options, o Options) []Report[dfu.Report] {
	all := make([]Board, len(boards))
	for i, t := range boards {
		all[i] = t.Board
	}
	return run(ctx, all, o, func(ctx context.Context, i int, _ Board) (dfu.Report, error) {
		return dfu.Run(ctx, boards[i].Dial, images, boards[i].options(u))
	})
}

// options are those of an update, as this board has them.
func (t Target) options(u dfu.Options) dfu.Options {
	if t.OnEvent != nil {
		u.OnEvent = t.OnEvent
	}
	if t.Check != nil {
		u.Check = t.Check
	}
	return u
}
