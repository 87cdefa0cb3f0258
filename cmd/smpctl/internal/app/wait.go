package app

import (
	"fmt"
	"sync"
	"time"
)

// waitShown is how long something may take before a person wonders.
const waitShown = 300 * time.Millisecond

// Waiting says what the command waits for, once that takes a while.
type Waiting struct {
	timer *time.Timer
	once  sync.Once
}

// Wait begins to wait for something; the text goes on "waiting for". The caller ends it with Stop.
func (a *App) Wait(format string, args ...any) *Waiting {
	text := fmt.Sprintf(format, args...)
	return &Waiting{timer: time.AfterFunc(waitShown, func() { a.Say("waiting for %s", text) })}
}

// Stop ends the waiting. It may be called again.
func (w *Waiting) Stop() { w.once.Do(func() { w.timer.Stop() }) }
