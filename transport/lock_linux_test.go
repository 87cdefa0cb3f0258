package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/transport"
)

// childRole makes the test binary play another program: its value is a role, a space, and the name of a port.
const childRole = "TRANSPORT_TEST_CHILD"

func init() {
	if role, port, ok := strings.Cut(os.Getenv(childRole), " "); ok {
		child(role, port)
		os.Exit(0)
	}
}

// child does what another program would, and says how it went.
func child(role, port string) {
	if role == "list" {
		listDescriptors()
		return
	}
	if role == "nobody" && os.Geteuid() == 0 {
		becomeNobody()
	}
	limit := testTimeout
	if role == "open" {
		limit = busyLimit // it may be the one that finds the port busy
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, err := transport.Dial(ctx, port, transport.Options{})
	var open *transport.OpenError
	switch {
	case err == nil:
		fmt.Println("open")
	case errors.Is(err, transport.ErrBusy):
		fmt.Println("busy")
	case errors.Is(err, fs.ErrPermission) && errors.As(err, &open):
		fmt.Println(strings.TrimSpace("denied " + open.Group))
	default:
		fmt.Println(err)
	}
	if role == "hold" {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test lets go
	}
	// The port is not closed: that is the system's business.
}

func listDescriptors() {
	for fd := range 64 {
		if name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil {
			fmt.Println(name)
		}
	}
}

func becomeNobody() {
	const nobody = 65534
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// process is a running child.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	says  string // its first line
}

func childCommand(role, port string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	// The race detector would make every child linger for a second.
	cmd.Env = append(os.Environ(), childRole+"="+role+" "+port, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// startChild starts a child and waits for its first line.
func startChild(t *testing.T, role, port string) *process {
	t.Helper()
	cmd := childCommand(role, port)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			p.kill()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("child %s: %v", role, err)
	}
	p.says = strings.TrimSpace(line)
	return p
}

// leave lets the child end by itself, kill does not ask it.
func (p *process) leave() { p.stdin.Close(); _ = p.cmd.Wait() }
func (p *process) kill()  { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() }

// busyLimit is shorter than the time limit for a busy port, and long enough for a try on a slow machine.
const busyLimit = 400 * time.Millisecond

// TestBusyUnderAnotherName wants a port to be one port whatever it is called.
func TestBusyUnderAnotherName(t *testing.T) {
	for _, tt := range []struct {
		name          string
		first, second func(t *testing.T, name string) string
	}{
		{"same name", sameName, sameName},
		{"link second", sameName, linkTo},
		{"link first", linkTo, sameName},
		{"two links", linkTo, func(t *testing.T, name string) string { return linkTo(t, linkTo(t, name)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, name := newPTY(t)
			c := dialPort(t, tt.first(t, name), transport.Options{})
			again := tt.second(t, name)
			second, err := transport.Dial(within(t, busyLimit), again, transport.Options{})
			if !errors.Is(err, transport.ErrBusy) {
				t.Errorf("while the port is open: got %v, want %v", err, transport.ErrBusy)
			}
			if err == nil {
				second.Close()
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			dialPort(t, again, transport.Options{})
		})
	}
}

func sameName(_ *testing.T, name string) string { return name }

// TestBusyRetry has somebody decide how long a busy port is tried. How long it is otherwise, TestRetryOpenLimits says.
func TestBusyRetry(t *testing.T) {
	t.Parallel()
	_, name := newPTY(t)
	dialPort(t, name, transport.Options{})
	tries := 0
	c, err := transport.Dial(t.Context(), name, transport.Options{Retry: func(err *transport.OpenError) bool {
		if !errors.Is(err, transport.ErrBusy) || err.Address != name || err.Holder.PID != os.Getpid() {
			t.Errorf("try %d: got %v, want %v", tries, err, transport.ErrBusy)
		}
		tries++
		return tries < 3
	}})
	if err == nil {
		c.Close()
	}
	if want := "open " + name + ": port is in use by another program"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if tries != 3 {
		t.Errorf("asked %d times whether to go on, want 3", tries)
	}
}

// TestBusyPasses wants the port once the other program is done with it.
func TestBusyPasses(t *testing.T) {
	_, name := newPTY(t)
	first := dialPort(t, name, transport.Options{})
	timer := time.AfterFunc(60*time.Millisecond, func() { first.Close() })
	defer timer.Stop()
	second, err := transport.Dial(within(t, testTimeout), name, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}

func TestBusyForAnotherProcess(t *testing.T) {
	t.Parallel()
	_, name := newPTY(t)
	c := dialPort(t, name, transport.Options{})
	other := startChild(t, "open", name)
	other.leave()
	if other.says != "busy" {
		t.Errorf("while the port is open: the other process says %q, want busy", other.says)
	}
	c.Close()
	other = startChild(t, "hold", linkTo(t, name))
	other.leave()
	if other.says != "open" {
		t.Errorf("after Close: the other process says %q, want open", other.says)
	}
}

// TestLockEndsWithItsProcess lets the process that holds the port end without closing it.
func TestLockEndsWithItsProcess(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*process)
	}{
		{"exits", (*process).leave},
		{"killed", (*process).kill},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, name := newPTY(t)
			other := startChild(t, "hold", name)
			if other.says != "open" {
				t.Fatalf("the other process says %q, want open", other.says)
			}
			if _, err := transport.Dial(within(t, busyLimit), name, transport.Options{}); !errors.Is(err,
				transport.ErrBusy) {
				t.Errorf("while the other process holds it: got %v, want %v", err, transport.ErrBusy)
			}
			tt.end(other)
			dialPort(t, name, transport.Options{}).Close()
			// Exclusive mode would keep everybody but root from the port, and this test may run as root.
			exclusive, err := exclusiveMode(name)
			if err != nil || exclusive != 0 {
				t.Errorf("exclusive mode: got %d, %v, want off", exclusive, err)
			}
		})
	}
}

func exclusiveMode(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.IoctlGetInt(fd, unix.TIOCGEXCL)
}

// TestPermissionDenied wants the error at once for an old port, and further tries for one that was just plugged in.
func TestPermissionDenied(t *testing.T) {
	closed := func(t *testing.T, age time.Duration) string {
		t.Helper()
		_, name := newPTY(t)
		then := time.Now().Add(-age)
		if err := errors.Join(os.Chmod(name, 0), os.Chtimes(name, then, then)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Run("old port", func(t *testing.T) {
		name := closed(t, time.Hour)
		start := time.Now()
		other := startChild(t, "nobody", name)
		took := time.Since(start)
		other.leave()
		if other.says != "denied" {
			t.Errorf("the other user says %q, want denied", other.says)
		}
		if took > 1500*time.Millisecond { // further tries would take two seconds
			t.Errorf("took %v, want the error at once", took)
		}
	})
	t.Run("new port", func(t *testing.T) {
		name := closed(t, 0)
		timer := time.AfterFunc(60*time.Millisecond, func() { _ = os.Chmod(name, 0o666) })
		defer timer.Stop()
		other := startChild(t, "nobody", name)
		other.leave()
		if other.says != "open" {
			t.Errorf("the other user says %q, want open once the group is set", other.says)
		}
	})
}

// TestChildInheritsNoPort starts a program while a port is open.
func TestChildInheritsNoPort(t *testing.T) {
	_, name := newPTY(t)
	dialPort(t, name, transport.Options{})
	given, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	cmd := childCommand("list", name)
	cmd.ExtraFiles = []*os.File{given} // shows that the list is one
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if list := string(out); !strings.Contains(list, "/dev/null\n") || strings.Contains(list, name+"\n") {
		t.Errorf("the child holds\n%swant /dev/null and not %s", list, name)
	}
}

// TestNoEchoFromTheFirstOpen has a device that prints as soon as its port is open, as a board does that boots then.
func TestNoEchoFromTheFirstOpen(t *testing.T) {
	master, name := newPTY(t)
	cook(t, name)
	unlock, err := transport.LockPort(name)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, text := range []string{"booting", "\n"} {
		if _, err := master.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := master.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 64)
	if n, err := master.Read(p); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the device got %q, %v", p[:n], err)
	}
}

// cook sets the modes of a terminal that nobody has had open.
func cook(t *testing.T, name string) {
	t.Helper()
	port, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	modes, err := unix.IoctlGetTermios(int(port.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	modes.Lflag |= unix.ECHO | unix.ICANON
	if err := unix.IoctlSetTermios(int(port.Fd()), unix.TCSETS, modes); err != nil {
		t.Fatal(err)
	}
}
