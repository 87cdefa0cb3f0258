package app

import (
	"errors"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/pflag"
)

// GlobalFlags are the flags of every command. A zero value means that the flag was not given.
type GlobalFlags struct {
	Port       string   // address of the device; the first, if several were given
	MorePorts  []string // the others: only who works on several devices may take them
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
	logLevel   level
}

// Register declares the flags in the order of the help.
func (f *GlobalFlags) Register(fs *pflag.FlagSet) {
	fs.VarP((*portFlag)(f), "port", "p",
		"`address` of the device: /dev/ttyACM0, COM22, usb:VID:PID, tcp:HOST:PORT, udp:HOST, sim: "+
			"(environment SMPCTL_PORT)")
	IntVar(fs, &f.Baud, "baud", "b", 1, MaxBaud, "bit rate of the port (default 115200)")
	fs.StringVarP(&f.Conn, "conn", "c", "", "use the connection saved under this `name` (smpctl conn)")
	fs.StringVar(&f.ConnType, "conntype", "", "`type` of connection, instead of the saved one: serial or udp")
	fs.StringVar(&f.ConnString, "connstring", "", "settings instead of the saved ones: dev=PORT,baud=N,mtu=N")
	fs.StringVar(&f.ConnExtra, "connextra", "", "settings on top of the saved ones")
	f.Wait = DefaultWait
	fs.Var(&f.Wait, "wait", "how long to wait for a port that is not there; 0: not at all")
	fs.VarP(&f.Timeout, "timeout", "t",
		"how long a try waits for its answer, as 2.5 or 500ms (default 3 s, and 60 s for an erase)")
	IntVar(fs, &f.Tries, "tries", "r", 1, 100, "how often a request is tried (default 3)")
	IntVar(fs, &f.Buffer, "buffer", "", MinBuffer, MaxBuffer,
		"bytes of the device's SMP buffer (default: ask the device)")
	IntVar(fs, &f.LineLength, "line-length", "", 8, 8192, "bytes of the longest line on the wire (default 127)")
	IntVar(fs, &f.Window, "window", "", 0, MaxWindow,
		"most requests in flight in a transfer (default: finds out)")
	fs.BoolVar(&f.Raw, "raw", false, "raw serial framing, no base64")
	fs.Var(&f.Version, "smp-version", "version of the protocol: auto, 1 or 2")
	fs.StringVar(&f.Trace, "trace", "", "write every packet to this `file`, decoded, with times (read it with less -S)")
	Heading(fs, "Connection", "port")
	fs.BoolVar(&f.JSON, "json", false, "print one JSON document; news as lines of JSON")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print the result and the error, nothing else")
	fs.VarP(&f.logLevel, "loglevel", "l", "what is said: debug, info, warn or error (default warn)")
	Heading(fs, "Output", "json")
}

// portFlag is the flag --port, which may be given again. An empty address is none.
type portFlag GlobalFlags

func (f *portFlag) Set(text string) error {
	switch {
	case f.Port == "":
		f.Port = text
	case text != "" && text != f.Port && !slices.Contains(f.MorePorts, text):
		f.MorePorts = append(f.MorePorts, text)
	}
	return nil
}

func (f *portFlag) String() string { return f.Port }

func (f *portFlag) Type() string { return "address" }

// heading is the annotation of a flag with which a part of the help begins.
const heading = "smpctl_heading"

// Heading has a part of the help begin with a flag: with those that are declared after it, up to the next heading.
func Heading(f *pflag.FlagSet, title, first string) {
	_ = f.SetAnnotation(first, heading, []string{title})
}

// HeadingOf is the title that stands before a flag in the help, empty if none does.
func HeadingOf(f *pflag.Flag) string {
	if title := f.Annotations[heading]; len(title) == 1 {
		return title[0]
	}
	return ""
}

// Limits of numbers that a flag or a connection string may give.
const (
	MaxBaud   = 50_000_000 // bits per second
	MinBuffer = 64         // bytes: less cannot hold the first chunk of an upload
	MaxBuffer = 65535      // bytes: the length of a frame has 16 bits
	MaxWindow = 64         // requests in flight
)

// level is the flag --loglevel.
type level string

// levels are the names of log levels, mcumgr-cli's among them.
var levels = map[level]slog.Level{
	"": slog.LevelWarn, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
	"warning": slog.LevelWarn,
	"error":   slog.LevelError, "fatal": slog.LevelError, "panic": slog.LevelError,
}

func (l *level) Set(text string) error {
	if _, ok := levels[level(text)]; !ok || text == "" {
		return errors.New("want debug, info, warn or error")
	}
	*l = level(text)
	return nil
}

func (l *level) String() string { return string(*l) }

func (l *level) Type() string { return "level" }

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
	if (*Seconds)(w).Set(text) != nil {
		return errors.New("want seconds, as 2.5, or a duration, as 500ms, of at most a day; 0 is not at all")
	}
	return nil
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
	return errors.New("want auto, 1 or 2")
}

func (v *smpVersion) String() string { return v.Version.String() }

func (v *smpVersion) Type() string { return "v" }
