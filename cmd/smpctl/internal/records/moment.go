package records

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// moment is a flag that takes a time: a date, a date and time, or how long ago it was.
type moment struct {
	time.Time // zero: not given
	text      string
}

var errMoment = errors.New(
	"want a time as 2026-11-21, 2026-11-21T09:12 or 2026-11-21T09:12:00Z, or how long ago as 8h or 7d")

// The forms of a time, those without a zone in that of this computer.
var momentForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
	time.DateOnly}

func (m *moment) Set(text string) error {
	for _, form := range momentForms {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			m.Time, m.text = t, text
			return nil
		}
	}
	ago, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		ago = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || ago < 0 {
		return errMoment
	}
	m.Time, m.text = time.Now().Add(-ago), text
	return nil
}

func (m *moment) Type() string { return "time" }

func (m *moment) String() string { return m.text }
