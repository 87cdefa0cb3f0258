package transport_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/transport"
)

// TestBusyNamesTheHolder has another program hold the port, under either of its names.
func TestBusyNamesTheHolder(t *testing.T) {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.TrimSpace(string(comm))
	for _, tt := range []struct {
		name          string
		first, second func(t *testing.T, name string) string
	}{
		{"same name", sameName, sameName},
		{"link second", sameName, linkTo},
		{"link first", linkTo, sameName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, name := newPTY(t)
			other := startChild(t, "hold", tt.first(t, name))
			defer other.leave()
			checkHolder(t, tt.second(t, name), transport.Process{PID: other.cmd.Process.Pid, Name: own})
		})
	}
	t.Run("this process", func(t *testing.T) {
		t.Parallel()
		_, name := newPTY(t)
		dialPort(t, name, transport.Options{})
		checkHolder(t, name, transport.Process{PID: os.Getpid(), Name: own})
	})
}

// checkHolder finds the port busy.
func checkHolder(t *testing.T, name string, want transport.Process) {
	t.Helper()
	_, err := transport.Dial(within(t, busyLimit), name, transport.Options{})
	var open *transport.OpenError
	if !errors.As(err, &open) || !errors.Is(err, transport.ErrBusy) || open.Holder != want || open.Address != name {
		t.Errorf("%v: %+v, want it busy for %+v", err, open, want)
	}
}

// TestOpenErrorWithoutHolder wants a holder for busy ports only.
func TestOpenErrorWithoutHolder(t *testing.T) {
	_, err := transport.Dial(t.Context(), "/dev/no-such-port", transport.Options{})
	var open *transport.OpenError
	if !errors.As(err, &open) || open.Holder != (transport.Process{}) {
		t.Errorf("%+v, want an OpenError without holder", err)
	}
}

// TestHolder looks in folders that are laid out like /proc, for a device that is no pseudo-terminal.
func TestHolder(t *testing.T) {
	const port = "/dev/full"
	var node, null unix.Stat_t
	if err := errors.Join(unix.Stat(port, &node), unix.Stat("/dev/null", &null)); err != nil {
		t.Fatal(err)
	}
	lock := func(pid int, node unix.Stat_t) string {
		return fmt.Sprintf("1: FLOCK  ADVISORY  WRITE %d %02x:%02x:%d 0 EOF\n", pid, unix.Major(uint64(node.Dev)),
			unix.Minor(uint64(node.Dev)), node.Ino)
	}
	picocom := transport.Process{PID: 4711, Name: "picocom"}
	for _, tt := range []struct {
		name  string
		files map[string]string // in the folder; what begins with > is a link
		want  transport.Process
	}{
		{"nobody", map[string]string{"4711/comm": "picocom\n", "4711/fd/3": ">/dev/null"}, transport.Process{}},
		{"open", map[string]string{"17/comm": "bash\n", "17/fd/0": ">/dev/null", "4711/comm": "picocom\n",
			"4711/fd/3": ">" + port}, picocom},
		{"open twice", map[string]string{"4711/comm": "picocom\n", "4711/fd/3": ">" + port, "4711/fd/4": ">" + port},
			picocom},
		{"open among others", map[string]string{"4711/comm": "picocom\n", "4711/fd/0": ">socket:[123]",
			"4711/fd/1": ">/dev/gone", "4711/fd/2": ">/tmp", "4711/fd/3": ">" + port}, picocom},
		{"locked", map[string]string{"locks": lock(4711, node), "4711/comm": "picocom\n"}, picocom},
		{"locked, and open for a reader", map[string]string{"locks": lock(99, null) + lock(4711, node),
			"17/comm": "cat\n", "17/fd/3": ">" + port, "4711/comm": "picocom\n"}, picocom},
		{"another waits for the lock", map[string]string{"locks": strings.Replace(lock(17, node), "1:", "1: ->", 1) +
			lock(4711, node), "17/comm": "flock\n", "4711/comm": "picocom\n"}, picocom},
		{"locked from another container", map[string]string{"locks": lock(0, node) + lock(-1, node)},
			transport.Process{}},
		{"locked by a program that has ended", map[string]string{"locks": lock(99, node), "4711/comm": "picocom\n",
			"4711/fd/3": ">" + port}, picocom},
		{"locks that nobody understands", map[string]string{"locks": "\n1:\n2: FLOCK ADVISORY WRITE x y z\n" +
			strings.Repeat("x", 100_000), "4711/comm": "picocom\n", "4711/fd/3": ">" + port}, picocom},
		{"a name that steers a terminal", map[string]string{"17/comm": "\x1b[31m\n\n", "17/fd/3": ">" + port},
			transport.Process{PID: 17, Name: "\x1b[31m\n"}},
		{"a long name", map[string]string{"17/comm": strings.Repeat("x", 1000), "17/fd/3": ">" + port},
			transport.Process{PID: 17, Name: strings.Repeat("x", 64)}},
		{"a folder that is no process", map[string]string{"tty/comm": "x\n", "tty/fd/3": ">" + port},
			transport.Process{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proc := fakeProc(t, tt.files)
			if got := transport.HolderIn(proc, port, time.Now().Add(time.Hour)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	t.Run("a real process", func(t *testing.T) {
		file, err := os.Open(port)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		pid := os.Getpid()
		proc := fakeProc(t, map[string]string{fmt.Sprint(pid): fmt.Sprintf(">/proc/%d", pid)})
		if got := transport.HolderIn(proc, port, time.Now().Add(time.Hour)); got.PID != pid {
			t.Errorf("got %+v, want %d", got, pid)
		}
	})
	t.Run("time is up", func(t *testing.T) {
		proc := fakeProc(t, map[string]string{"4711/comm": "picocom\n", "4711/fd/3": ">" + port})
		if got := transport.HolderIn(proc, port, time.Now()); got != (transport.Process{}) {
			t.Errorf("got %+v, want none", got)
		}
	})
	t.Run("the maker of a pseudo-terminal", func(t *testing.T) {
		_, name := newPTY(t)
		proc := fakeProc(t, map[string]string{"4711/comm": "socat\n", "4711/fd/3": ">" + name})
		if got := transport.HolderIn(proc, name, time.Now().Add(time.Hour)); got != (transport.Process{}) {
			t.Errorf("got %+v, want none", got)
		}
	})
	t.Run("no port", func(t *testing.T) {
		proc := fakeProc(t, map[string]string{"4711/comm": "picocom\n", "4711/fd/3": ">" + port})
		for _, name := range []string{proc, filepath.Join(proc, "4711/comm"), "/dev/no-such-port"} {
			if got := transport.HolderIn(proc, name, time.Now().Add(time.Hour)); got != (transport.Process{}) {
				t.Errorf("%s: got %+v, want none", name, got)
			}
		}
	})
}

// fakeProc makes a folder of files and links.
func fakeProc(t *testing.T, files map[string]string) string {
	t.Helper()
	proc := t.TempDir()
	for name, content := range files {
		path := filepath.Join(proc, name)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if target, isLink := strings.CutPrefix(content, ">"); isLink {
			err = errors.Join(err, os.Symlink(target, path))
		} else {
			err = errors.Join(err, os.WriteFile(path, []byte(content), 0o666))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return proc
}
