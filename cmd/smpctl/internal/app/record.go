package app

import (
	"context"
	"sync"
)

// Recorded is a result that is kept as a record of what was done: it also holds what else the command said.
type Recorded interface {
	Result
	// Record completes the result with the warnings, and with the error that ended the command; nil if none did.
	Record(warnings []string, ended *Failure) Result
}

// record completes a result, if it is one to be kept.
func (a *App) record(ctx context.Context, r Result, err error) Result {
	kept, ok := r.(Recorded)
	if !ok {
		return r
	}
	var ended *Failure
	if err != nil {
		f := a.Failure(ctx, err)
		ended = &f
	}
	return kept.Record(a.warnings.list(), ended)
}

// warnings are what the user was warned of, or would have been without --quiet.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

func (w *warnings) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

func (w *warnings) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.texts...)
}
