package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/smp/sim/pty"
	"golang.org/x/sys/unix"
)

const (
	ctrlC       = "\x03"
	ctrlD       = "\x04"
	leaveKey    = "\x1d"
	shellPrompt = "device$ "
)

// TestShellCtrlC presses keys at the prompt of a shell: Ctrl-C takes back the line and nothing else.
func TestShellCtrlC(t *testing.T) {
	_, port := clitest.ServeDevice(t, sim.Options{})
	for name, leave := range map[string]string{"Ctrl-D": ctrlD, "Ctrl-]": "echo unsent" + leaveKey, "exit": "exit\r"} {
		t.Run(name, func(t *testing.T) {
			s := startOnTerminal(t, "-p", port, "shell")
			s.screen.WaitFor(t, shellPrompt, 1)
			s.press("fail 3" + ctrlC)
			s.screen.WaitFor(t, shellPrompt, 2)
			s.press("echo this one\r")
			s.screen.WaitFor(t, "\nthis one", 1)
			s.screen.WaitFor(t, shellPrompt, 3)
			s.press(leave)
			if code := s.exitCode(); code != 0 {
				t.Errorf("exit code %d, want that of the only command that ran, 0; it printed:\n%s",
					code, s.screen.String())
			}
			if text := s.screen.String(); !strings.Contains(text, "fail 3^C\r\n") ||
				strings.Contains(text, "\nunsent") {
				t.Errorf("the terminal shows:\n%s", text)
			}
		})
	}
}

// TestShellCtrlCWhileWaiting presses Ctrl-C while the device is at work: the waiting ends, with a word, not the
// session.
func TestShellCtrlCWhileWaiting(t *testing.T) {
	_, port := clitest.ServeDevice(t, sim.Options{})
	s := startOnTerminal(t, "-p", port, "shell")
	s.screen.WaitFor(t, shellPrompt, 1)
	s.press("kernel sleep 60000\r")
	s.awaitSignals()
	s.press(ctrlC)
	s.screen.WaitFor(t, `not waiting for "kernel sleep 60000" any more: it may still run on the device`, 1)
	s.screen.WaitFor(t, shellPrompt, 2)
	s.press(ctrlD)
	if code := s.exitCode(); code != 130 {
		t.Errorf("exit code %d, want 130: the last command was given up", code)
	}
}

// terminal is smpctl on a terminal of its own.
type terminal struct {
	t      *testing.T
	master *os.File
	screen clitest.LockedBuffer
	cmd    *exec.Cmd
	done   chan struct{} // closed once the program is gone and all it printed is there
}

func startOnTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	master, name, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s := &terminal{t: t, master: master, cmd: exec.Command("smpctl", args...), done: make(chan struct{})}
	if err := s.cook(); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	s.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "TERM=xterm",
		"GORACE=atexit_sleep_ms=0")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = other, other, other
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.show()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		master.Close()
	})
	return s
}

// show keeps what the program prints, until it is gone: then reading gives EIO.
func (s *terminal) show() {
	defer close(s.done)
	buf := make([]byte, 4096)
	for {
		n, err := s.master.Read(buf)
		_, _ = s.screen.Write(buf[:n])
		if err != nil {
			_ = s.cmd.Wait()
			return
		}
	}
}

func (s *terminal) press(keys string) {
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Error(err)
	}
}

func (s *terminal) exitCode() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("still running, with on its terminal:\n%s", s.screen.String())
	}
	return s.cmd.ProcessState.ExitCode()
}

// cook gives the terminal what a person's has: lines, echo and signals.
func (s *terminal) cook() error {
	settings, err := s.control(nil)
	if err != nil {
		return err
	}
	settings.Iflag |= unix.ICRNL
	settings.Oflag |= unix.OPOST | unix.ONLCR
	settings.Lflag |= unix.ICANON | unix.ISIG | unix.ECHO | unix.IEXTEN
	_, err = s.control(settings)
	return err
}

// awaitSignals waits until the terminal makes a signal of Ctrl-C, as it does while a command runs.
func (s *terminal) awaitSignals() {
	s.t.Helper()
	for range 2000 {
		settings, err := s.control(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if settings.Lflag&unix.ISIG != 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("no command runs; the terminal shows:\n%s", s.screen.String())
}

// control sets the terminal's settings, if there are any, and returns them as they are then.
func (s *terminal) control(set *unix.Termios) (settings *unix.Termios, err error) {
	raw, err := s.master.SyscallConn()
	if err != nil {
		return nil, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		if set != nil {
			err = unix.IoctlSetTermios(int(fd), unix.TCSETS, set)
		}
		if err == nil {
			settings, err = unix.IoctlGetTermios(int(fd), unix.TCGETS)
		}
	})
	return settings, errors.Join(controlErr, err)
}
