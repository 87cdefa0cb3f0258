package app

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/pflag"
)

// GlobalFlags are the flags of every command. A zero value means that the flag was not given.
type GlobalFlags struct {
	Port       string
	Baud       int
	Conn       string
	ConnType   string
	ConnString string
	ConnExtra  string
	Wait       WaitTime
	Timeout    Seconds
	Tries      int
	Buffer     int
	LineLength int
	Window     int
	Raw        bool
	Version    smpVersion
	JSON       bool
	Quiet      bool
	Trace      string
	logLevel   string
}

func (f *GlobalFlags) Register(fs *pflag.FlagSet) {
	fs.StringVarP(&f.Port, "port", "p", "",
		"`address` of the device: a port, usb:VID:PID, tcp:HOST:PORT, sim: (environment SMPCTL_PORT)")
	fs.IntVarP(&f.Baud, "baud", "b", 0, "bit rate of the port (default 115200)")
	fs.StringVarP(&f.Conn, "conn", "c", "", "saved connection `profile` to use")
	fs.StringVar(&f.ConnType, "conntype", "", "connection `type`, instead of the profile's: serial")
	fs.StringVar(&f.ConnString, "connstring", "",
		"connection `settings`, instead of the profile's: dev=PORT,baud=N,mtu=N")
	fs.StringVar(&f.ConnExtra, "connextra", "", "connection `settings` on top of the profile's")
	f.Wait = DefaultWait
	fs.Var(&f.Wait, "wait", "how long to wait for a port that is not there yet; 0: not at all")
	fs.VarP(&f.Timeout, "timeout", "t",
		"wait for the answer to one try, in seconds or as 500ms "+
			"(default 3; erase and the first chunk of an upload: 60)")
	fs.IntVarP(&f.Tries, "tries", "r", 0, "tries of one request (default 3)")
	fs.IntVar(&f.Buffer, "buffer", 0, "bytes of the device's SMP buffer (default: asked from the device)")
	fs.IntVar(&f.LineLength, "line-length", 0, "bytes of the longest line on the wire (default 127)")
	fs.IntVar(&f.Window, "window", 0, "most requests in flight during an upload (default: adaptive)")
	fs.BoolVar(&f.Raw, "raw", false, "raw serial framing, no base64")
	fs.Var(&f.Version, "smp-version", "protocol `version`: auto, 1 or 2")
	fs.BoolVar(&f.JSON, "json", false, "print one JSON document; progress and errors as JSON lines on standard error")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print nothing but the result and the error")
	fs.StringVar(&f.Trace, "trace", "", "write every packet to this `file`, decoded, with times (read it with less -S)")
	fs.StringVarP(&f.logLevel, "loglevel", "l", "", "debug, info, warn or error (default warn)")
}

// Limits of numbers that a flag or a connection string may give.
const (
	MaxBaud   = 50_000_000 // bits per second
	MinBuffer = 64         // bytes: less cannot hold the first chunk of an upload
	MaxBuffer = 65535      // bytes: the length of a frame has 16 bits
)

// Check refuses values that no command can work with.
func (f *GlobalFlags) Check() error {
	for _, n := range []struct {
		name            string
		value, min, max int
	}{
		{"baud", f.Baud, 1, MaxBaud}, {"tries", f.Tries, 1, 100}, {"buffer", f.Buffer, MinBuffer, MaxBuffer},
		{"line-length", f.LineLength, 8, 8192}, {"window", f.Window, 1, 64},
	} {
		if n.value != 0 && (n.value < n.min || n.value > n.max) {
			return failure.Usage("--%s %d: want %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	if _, ok := levels[f.logLevel]; !ok {
		return failure.Usage("--loglevel %q: want debug, info, warn or error", f.logLevel)
	}
	return nil
}

// levels are the names of log levels, mcumgr-cli's among them.
var levels = map[string]slog.Level{
	"": slog.LevelWarn, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
	"warning": slog.LevelWarn,
	"error":   slog.LevelError, "fatal": slog.LevelError, "panic": slog.LevelError,
}

func (f *GlobalFlags) level() slog.Level {
	if f.Quiet {
		return slog.LevelError + 1
	}
	return levels[f.logLevel]
}

// Seconds is a flag in seconds, as in mcumgr-cli, or as a Go duration.
type Seconds time.Duration

// maxWait keeps every wait bounded, whatever the user asks.
const maxWait = 24 * time.Hour

func (s *Seconds) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(n) || n <= 0 || n > maxWait.Seconds() {
			return errors.New("want more than 0 and at most a day")
		}
		*s = Seconds(n * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxWait {
		return errors.New("want seconds, as 2.5, or a duration, as 500ms, of at most a day")
	}
	*s = Seconds(d)
	return nil
}

func (s *Seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

func (s *Seconds) Type() string { return "time" }

// WaitTime is a flag like [Seconds] that may be 0, for not at all.
type WaitTime time.Duration

// DefaultWait is how long a command waits for a port that is not there yet.
const DefaultWait = WaitTime(10 * time.Second)

func (w *WaitTime) Set(text string) error {
	if n, err := strconv.ParseFloat(strings.TrimRight(text, "smh"), 64); err == nil && n == 0 {
		*w = 0
		return nil
	}
	return (*Seconds)(w).Set(text)
}

func (w *WaitTime) String() string { return time.Duration(*w).String() }

func (w *WaitTime) Type() string { return "time" }

// smpVersion is the flag --smp-version.
type smpVersion struct{ smp.Version }

func (v *smpVersion) Set(text string) error {
	for _, known := range []smp.Version{smp.Auto, smp.V1, smp.V2} {
		if text == known.String() {
			v.Version = known
			return nil
		}
	}
	return fmt.Errorf("want auto, 1 or 2")
}

func (v *smpVersion) String() string { return v.Version.String() }

func (v *smpVersion) Type() string { return "version" }
