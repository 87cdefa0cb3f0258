package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/pflag"
)

// globalFlags are the flags of every command. A zero value means that the flag was not given.
type globalFlags struct {
	port       string
	baud       int
	conn       string
	connType   string
	connString string
	connExtra  string
	timeout    seconds
	tries      int
	buffer     int
	lineLength int
	window     int
	raw        bool
	version    smpVersion
	json       bool
	quiet      bool
	trace      string
	logLevel   string
}

func (f *globalFlags) register(fs *pflag.FlagSet) {
	fs.StringVarP(&f.port, "port", "p", "",
		"`address` of the device: a port, usb:VID:PID, tcp:HOST:PORT, sim: (environment SMPCTL_PORT)")
	fs.IntVarP(&f.baud, "baud", "b", 0, "bit rate of the port (default 115200)")
	fs.StringVarP(&f.conn, "conn", "c", "", "saved connection `profile` to use")
	fs.StringVar(&f.connType, "conntype", "", "connection `type`, instead of the profile's: serial")
	fs.StringVar(&f.connString, "connstring", "",
		"connection `settings`, instead of the profile's: dev=PORT,baud=N,mtu=N")
	fs.StringVar(&f.connExtra, "connextra", "", "connection `settings` on top of the profile's")
	fs.VarP(&f.timeout, "timeout", "t",
		"wait for the answer to one try, in seconds or as 500ms "+
			"(default 3; erase and the first chunk of an upload: 60)")
	fs.IntVarP(&f.tries, "tries", "r", 0, "tries of one request (default 3)")
	fs.IntVar(&f.buffer, "buffer", 0, "bytes of the device's SMP buffer (default: asked from the device)")
	fs.IntVar(&f.lineLength, "line-length", 0, "bytes of the longest line on the wire (default 127)")
	fs.IntVar(&f.window, "window", 0, "most requests in flight during an upload (default: adaptive)")
	fs.BoolVar(&f.raw, "raw", false, "raw serial framing, no base64")
	fs.Var(&f.version, "smp-version", "protocol `version`: auto, 1 or 2")
	fs.BoolVar(&f.json, "json", false, "print one JSON document; progress and errors as JSON lines on standard error")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but the result and the error")
	fs.StringVar(&f.trace, "trace", "", "write every packet, readable, to this `file`")
	fs.StringVarP(&f.logLevel, "loglevel", "l", "", "debug, info, warn or error (default warn)")
}

// Limits of numbers that a flag or a connection string may give.
const (
	maxBaud   = 50_000_000 // bits per second
	minBuffer = 64         // bytes: less cannot hold the first chunk of an upload
	maxBuffer = 65535      // bytes: the length of a frame has 16 bits
)

// check refuses values that no command can work with.
func (f *globalFlags) check() error {
	for _, n := range []struct {
		name            string
		value, min, max int
	}{
		{"baud", f.baud, 1, maxBaud}, {"tries", f.tries, 1, 100}, {"buffer", f.buffer, minBuffer, maxBuffer},
		{"line-length", f.lineLength, 8, 8192}, {"window", f.window, 1, 64},
	} {
		if n.value != 0 && (n.value < n.min || n.value > n.max) {
			return usage("--%s %d: want %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	if _, ok := levels[f.logLevel]; !ok {
		return usage("--loglevel %q: want debug, info, warn or error", f.logLevel)
	}
	return nil
}

// levels are the names of log levels, mcumgr-cli's among them.
var levels = map[string]slog.Level{
	"": slog.LevelWarn, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
	"warning": slog.LevelWarn,
	"error":   slog.LevelError, "fatal": slog.LevelError, "panic": slog.LevelError,
}

func (f *globalFlags) level() slog.Level {
	if f.quiet {
		return slog.LevelError + 1
	}
	return levels[f.logLevel]
}

// seconds is a flag in seconds, as in mcumgr-cli, or as a Go duration.
type seconds time.Duration

// maxWait keeps every wait bounded, whatever the user asks.
const maxWait = 24 * time.Hour

func (s *seconds) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(n) || n <= 0 || n > maxWait.Seconds() {
			return errors.New("want more than 0 and at most a day")
		}
		*s = seconds(n * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxWait {
		return errors.New("want seconds, as 2.5, or a duration, as 500ms, of at most a day")
	}
	*s = seconds(d)
	return nil
}

func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

func (s *seconds) Type() string { return "time" }

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
