package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// newLogger is the log of --loglevel: text, or events with --json.
func (a *App) newLogger() *slog.Logger {
	if a.Flags.JSON {
		return slog.New(&eventLog{app: a})
	}
	return slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: a.Flags.level()}))
}

// eventLog makes events of log lines.
type eventLog struct {
	app        *App
	attributes []slog.Attr
}

func (l *eventLog) Enabled(_ context.Context, level slog.Level) bool {
	return level >= l.app.Flags.level()
}

func (l *eventLog) Handle(_ context.Context, r slog.Record) error {
	e := logEvent{Event: "log", Level: strings.ToLower(r.Level.String()), Message: r.Message}
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
	l.app.Event(e)
	return nil
}

// attribute is a value as JSON shows it: seconds for durations, as everywhere.
func attribute(v slog.Value) any {
	switch v := v.Any().(type) {
	case time.Duration:
		return v.Seconds()
	case error:
		return v.Error()
	default:
		return v
	}
}

func (l *eventLog) WithAttrs(more []slog.Attr) slog.Handler {
	return &eventLog{l.app, append(slices.Clip(l.attributes), more...)}
}

// WithGroup does not group: nothing here does.
func (l *eventLog) WithGroup(string) slog.Handler { return l }
