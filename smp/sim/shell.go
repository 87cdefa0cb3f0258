package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// shellCommand is the table of the shell group (Zephyr smp_group_9.rst, shell_mgmt.c).
func shellCommand(id uint8) command {
	if id == 0 {
		return command{write: shellExec}
	}
	return command{}
}

// Limits of the shell: of a line (CONFIG_MCUMGR_GRP_SHELL_CMD_MAX with its terminator), and of what its backend keeps
// of the output, which cuts it without a word (CONFIG_SHELL_BACKEND_DUMMY_BUF_SIZE).
const (
	maxShellLine   = 255
	maxShellOutput = 600
)

// Results of shell commands (errno.h).
const (
	shellInvalid = -22 // EINVAL
	shellNoExec  = -8  // ENOEXEC: there is no such command
)

func shellExec(c *call) *failure {
	var argv []string
	if f := c.arguments(argList("argv", majorText, &argv)); f != nil {
		return f
	}
	if !c.has("argv") {
		return protocolFailure(rcInvalid)
	}
	line := strings.Join(argv, " ")
	switch {
	case len(argv) == 0:
		return groupFailure(smp.GroupShell, shellEmpty)
	case len(line) > maxShellLine:
		return groupFailure(smp.GroupShell, shellTooLong)
	}
	line, _, _ = strings.Cut(line, "\n")
	output, status, alive := c.shell(strings.Fields(strings.ReplaceAll(line, `"`, "")))
	if !alive {
		return nil
	}
	output = "\r\n" + strings.ReplaceAll(output, "\n", "\r\n")
	c.w.text("o")
	c.w.text(output[:min(len(output), maxShellOutput)])
	name := "ret"
	if c.d.o.Legacy {
		name = "rc"
	}
	c.w.text(name)
	c.w.int(int64(status))
	return nil
}

// shellEntry is a command of the shell.
type shellEntry struct {
	name string
	help string
	run  func(c *call, args []string) (output string, status int)
}

func shellEntries() []shellEntry {
	return []shellEntry{
		{"device list", "the devices", func(*call, []string) (string, int) {
			return "devices:\n- uart (READY)\n- flash-controller (READY)\n", 0
		}},
		{"echo", "prints its arguments",
			func(_ *call, args []string) (string, int) { return strings.Join(args, " ") + "\n", 0 }},
		{"fail", "returns its argument, 1 without one", shellFail},
		{"help", "this list", shellHelp},
		{"kernel sleep", "waits for a number of milliseconds", shellSleep},
		{"kernel uptime", "time since the boot", func(c *call, _ []string) (string, int) {
			return fmt.Sprintf("Uptime: %d ms\n", time.Since(c.prog.since).Milliseconds()), 0
		}},
		{"kernel version", "version of the kernel",
			func(c *call, _ []string) (string, int) { return "Zephyr version " + c.d.o.Kernel + "\n", 0 }},
	}
}

// shell runs a line. It reports whether the device is still alive afterwards.
func (c *call) shell(words []string) (output string, status int, alive bool) {
	for _, e := range shellEntries() {
		name := strings.Fields(e.name)
		if len(words) >= len(name) && strings.Join(words[:len(name)], " ") == e.name {
			output, status = e.run(c, words[len(name):])
			return output, status, c.prog.alive()
		}
	}
	if len(words) == 0 {
		return "", shellNoExec, true
	}
	return shellRed(words[0] + ": command not found"), shellNoExec, true
}

// shellRed is an error as the shell prints it.
func shellRed(text string) string { return "\x1b[1;31m" + text + "\n\x1b[m" }

func shellHelp(*call, []string) (string, int) {
	var b strings.Builder
	b.WriteString("Available commands:\n")
	for _, e := range shellEntries() {
		fmt.Fprintf(&b, "  %-15s: %s\n", e.name, e.help)
	}
	return b.String(), 0
}

func shellFail(_ *call, args []string) (string, int) {
	status := 1
	if len(args) > 0 {
		var err error
		if status, err = strconv.Atoi(args[0]); err != nil || status != int(int32(status)) {
			return shellRed("fail: want a number"), shellInvalid
		}
	}
	return "", status
}

// maxSleep bounds the time that a client can stop the device for.
const maxSleep = time.Minute

func shellSleep(c *call, args []string) (string, int) {
	if len(args) != 1 {
		return shellRed("sleep: wrong parameter count"), shellInvalid
	}
	ms, err := strconv.Atoi(args[0])
	if err != nil || ms < 0 || ms > int(maxSleep.Milliseconds()) {
		return shellRed("sleep: want milliseconds, at most a minute"), shellInvalid
	}
	c.spend(time.Duration(ms) * time.Millisecond)
	return "", 0
}
