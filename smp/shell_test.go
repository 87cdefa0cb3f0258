package smp_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// What a shell command returned is a result under either name, a refusal is not.
func TestShellStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer []byte
		want   smp.ShellResult
		err    string
	}{
		{"success", encode(reply{"o": "hi", "ret": 0}), smp.ShellResult{Output: "hi"}, ""},
		{"failure", encode(reply{"o": "", "ret": -22}), smp.ShellResult{Status: -22}, ""},
		{"old name", encode(reply{"o": "no", "rc": 8}), smp.ShellResult{Output: "no", Status: 8}, ""},
		{"both names", encode(reply{"o": "no", "rc": 0, "ret": 1}), smp.ShellResult{Output: "no", Status: 1}, ""},
		{"beyond an int", encode(reply{"o": "", "ret": int64(1) << 40}), smp.ShellResult{Status: 1<<31 - 1}, ""},
		{"refusal", rc(8), smp.ShellResult{},
			"shell exec: device refused: the device does not have this command (rc 8 ENOTSUP)"},
		{"group error", encode(reply{"err": reply{"group": 9, "rc": 3}}), smp.ShellResult{},
			"shell exec: device refused: the command line is empty (shell 3 EMPTY_COMMAND)"},
		{"first name of a group error", encode(reply{"ret": reply{"group": 9, "rc": 2}}), smp.ShellResult{},
			"shell exec: device refused: the command line is longer than the device takes (shell 2 COMMAND_TOO_LONG)"},
		{"no output", encode(reply{"ret": 0}), smp.ShellResult{}, "shell exec: unusable answer: no output in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange(t, tt.answer, func(c *smp.Client) {
					got, err := c.Shell.Exec(t.Context(), "x")
					text := ""
					if err != nil {
						text = err.Error()
					}
					if got != tt.want || text != tt.err {
						t.Errorf("Exec = %+v, %v, want %+v, %s", got, err, tt.want, tt.err)
					}
				})
			})
		})
	}
}

// A shell command takes as long as it takes, and is sent once.
func TestShellPatience(t *testing.T) {
	for options, want := range map[smp.Options]time.Duration{{}: 30 * time.Second,
		{Timeout: time.Second}: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c, l := settled(t, func(*link, []byte) {}, options)
			took(t, want, func() {
				if _, err := c.Shell.Exec(t.Context(), "x"); !errors.Is(err, smp.ErrNoReply) {
					t.Errorf("Exec: %v, want silence", err)
				}
			})
			if n := len(l.requests()); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// A device that dies of a crash as it should says nothing; one that was dead before is an error.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := settled(t, func(*link, []byte) {}, smp.Options{})
		if answered, err := c.Crash.Trigger(t.Context(), "div0"); answered || err != nil {
			t.Errorf("Trigger = %v, %v, want silence and no error", answered, err)
		}
		if n := len(l.requests()); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, _ := connect(t, func(*link, []byte) {}, smp.Options{})
		if _, err := c.Crash.Trigger(t.Context(), "div0"); !errors.Is(err, smp.ErrNoReply) {
			t.Errorf("Trigger of a device that never answered: %v", err)
		}
	})
}

// Mynewt says with the code 1 that a log goes on.
func TestLogShow(t *testing.T) {
	entry := reply{"index": 4, "ts": int64(1500), "module": 6, "level": 2, "type": "str", "msg": []byte("hi"),
		"imghash": []byte{1, 2}}
	logs := []reply{{"name": "boot", "type": 1, "entries": []reply{entry}}}
	want := smp.LogPage{Next: 9, More: true, Logs: []smp.Log{{Name: "boot", Type: 1, Entries: []smp.LogEntry{
		{Index: 4, Time: 1500 * time.Microsecond, Module: 6, Level: 2, Type: "str", ImageHash: []byte{1, 2},
			Message: []byte("hi")},
	}}}}
	synctest.Test(t, func(t *testing.T) {
		exchange(t, encode(reply{"rc": 1, "next_index": 9, "logs": logs}), func(c *smp.Client) {
			got, err := c.Log.Show(t.Context(), smp.LogQuery{})
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("Show: %v (-want +got):\n%s", err, diff)
			}
		})
		exchange(t, encode(reply{"rc": 1}), func(c *smp.Client) {
			var refused *smp.DeviceError
			if _, err := c.Log.Show(t.Context(), smp.LogQuery{}); !errors.As(err, &refused) || refused.Code != 1 {
				t.Errorf("Show of a device that fails: %v", err)
			}
		})
	})
}

// Zephyr takes bytes, Mynewt answers with a text.
func TestSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range [][]byte{encode(reply{"val": "ab"}), encode(reply{"val": []byte("ab")}),
			[]byte("\xbf\x63val\x5f\x41a\x41b\xff\xff")} {
			exchange(t, answer, func(c *smp.Client) {
				if got, err := c.Settings.Get(t.Context(), "x"); string(got) != "ab" || err != nil {
					t.Errorf("Get from %x: %q, %v", answer, got, err)
				}
			})
		}
		sent := exchange(t, []byte{0xbf, 0xff}, func(c *smp.Client) {
			if err := c.Settings.Set(t.Context(), "x", nil); err != nil {
				t.Error(err)
			}
		})
		if diff := cmp.Diff([]string{"0a00000d00030000a26376616c40646e616d656178"}, sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestGroupNames(t *testing.T) {
	for text, want := range map[string]smp.Group{"os": 0, "settings": 3, "zephyr": 63, "64": 64, "0x40": 64,
		"65535": 65535} {
		if g, err := smp.ParseGroup(text); g != want || err != nil {
			t.Errorf("ParseGroup(%q) = %d, %v, want %d", text, g, err, want)
		}
	}
	for _, text := range []string{"", "-1", "65536", "OS", "group 64", "\x1b"} {
		if g, err := smp.ParseGroup(text); err == nil {
			t.Errorf("ParseGroup(%q) = %v", text, g)
		}
	}
	if got := smp.Group(70).String() + ", " + smp.GroupEnum.String(); got != "group 70, enum" {
		t.Errorf("names: %s", got)
	}
}

// gappedLink remembers the gap between lines with which each packet was sent.
type gappedLink struct {
	*link
	gap  time.Duration
	gaps []time.Duration
}

func (l *gappedLink) SetLineGap(d time.Duration) { l.gap = d }

func (l *gappedLink) WritePacket(p []byte) error {
	l.gaps = append(l.gaps, l.gap)
	return l.link.WritePacket(p)
}

// A long request that is sent once goes out as slowly as can be: nothing would make up for a lost line.
func TestLongRequestsThatAreSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &gappedLink{link: newLink(func(l *link, p []byte) {
			answer := goodParams
			if commandOf(p) != params {
				answer = encode(reply{"o": "", "ret": 0, "val": []byte{}})
			}
			l.reply(response(p, answer))
		})}
		l.overhead = 4
		c := smp.NewClient(l, smp.Options{})
		defer c.Close()
		long := strings.Repeat("x", 250)
		if _, err := c.Shell.Exec(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		if err := c.Settings.Set(t.Context(), "x", []byte(long)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Shell.Exec(t.Context(), "short"); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 10 * time.Millisecond, 2 * time.Millisecond, 0}
		if diff := cmp.Diff(want, l.gaps); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	})
}
