package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// newLogger is the log of --loglevel: sentences with the time since the start, or events with --json.
func (a *App) newLogger() *slog.Logger { return slog.New(&eventLog{app: a, began: time.Now()}) }

// eventLog makes news of log lines.
type eventLog struct {
	app        *App
	began      time.Time
	attributes []slog.Attr
}

func (l *eventLog) Enabled(_ context.Context, level slog.Level) bool {
	return level >= l.app.Flags.level()
}

func (l *eventLog) Handle(_ context.Context, r slog.Record) error {
	e := LogEvent{Event: "log", Level: strings.ToLower(r.Level.String()), Message: r.Message}
	add := func(a slog.Attr) bool {
		if e.Attributes == nil {
			e.Attributes = map[string]any{}
		}
		e.Attributes[a.Key] = attribute(a.Value.Resolve())
		return true
	}
	for _, a := range l.attributes {
		add(a)
	}
	r.Attrs(add)
	if l.app.Flags.JSON {
		l.app.Event(e)
		return nil
	}
	_, err := fmt.Fprintf(l.app.Err, "%s: %.3f s: %s%s\n", e.Level, r.Time.Sub(l.began).Seconds(), e.Message,
		attributesText(e.Attributes))
	return err
}

// attributesText is what a sentence is about, in brackets behind it.
func attributesText(all map[string]any) string {
	if len(all) == 0 {
		return ""
	}
	var list []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, fmt.Sprintf("%s %v", strings.ReplaceAll(key, "_", " "), all[key]))
	}
	return " (" + strings.Join(list, ", ") + ")"
}

// attribute is a value as JSON shows it: seconds for durations, as everywhere.
func attribute(v slog.Value) any {
	switch v := v.Any().(type) {
	case time.Duration:
		return v.Seconds()
	case error:
		return failure.Text(v)
	default:
		return v
	}
}

func (l *eventLog) WithAttrs(more []slog.Attr) slog.Handler {
	return &eventLog{l.app, l.began, append(slices.Clip(l.attributes), more...)}
}

// WithGroup does not group: nothing here does.
func (l *eventLog) WithGroup(string) slog.Handler { return l }
