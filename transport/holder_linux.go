package transport

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of looking for whoever holds a port: it is done for a better error only.
const (
	holderTime     = 200 * time.Millisecond
	maxProcesses   = 4096
	maxDescriptors = 4096    // of one process
	maxLocks       = 1 << 20 // bytes of /proc/locks
	maxProcessName = 64      // bytes; the kernel keeps 15
)

// holderOf returns a process that has the port open, the zero value if none is found.
func holderOf(name string) Process {
	return holderIn("/proc", name, time.Now().Add(holderTime))
}

// holderIn looks in a folder that is laid out like /proc (proc(5)). The lock tells exactly, and of everybody's
// processes; exclusive mode leaves no trace but the open file, which only the user's own processes show, or root's eyes
// see. With a pseudo-terminal the open file says nothing: its maker has it open as well.
func holderIn(proc, name string, end time.Time) Process {
	var node unix.Stat_t
	if unix.Stat(name, &node) != nil || node.Mode&unix.S_IFMT != unix.S_IFCHR {
		return Process{}
	}
	if p := lockOwner(proc, node); p.PID > 0 || isPTY(node) {
		return p
	}
	for _, entry := range list(proc, maxProcesses) {
		pid, err := strconv.Atoi(entry)
		if err != nil {
			continue
		}
		if time.Now().After(end) {
			break
		}
		if opened(filepath.Join(proc, entry, "fd"), node, end) {
			return processOf(proc, pid)
		}
	}
	return Process{}
}

// lockOwner returns the process that has locked the device node.
func lockOwner(proc string, node unix.Stat_t) Process {
	file, err := os.Open(filepath.Join(proc, "locks"))
	if err != nil {
		return Process{}
	}
	defer file.Close()
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(node.Dev)), unix.Minor(uint64(node.Dev)), node.Ino)
	lines := bufio.NewScanner(io.LimitReader(file, maxLocks))
	for lines.Scan() {
		// 1: FLOCK  ADVISORY  WRITE 4711 00:18:6 0 EOF; whoever waits for it has an arrow behind the number.
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[5] != inode {
			continue
		}
		pid, err := strconv.Atoi(fields[4])
		if p := processOf(proc, pid); err == nil && p.PID > 0 { // 0 or less stands for another container's
			return p
		}
	}
	return Process{}
}

// opened tells whether one of the descriptors in a folder is of the device, whatever its name.
func opened(folder string, node unix.Stat_t, end time.Time) bool {
	for _, descriptor := range list(folder, maxDescriptors) {
		if time.Now().After(end) {
			return false
		}
		path := filepath.Join(folder, descriptor)
		// Nothing else is looked at: a file on a network could keep us waiting.
		if target, err := os.Readlink(path); err != nil || !strings.HasPrefix(target, "/dev/") {
			continue
		}
		var stat unix.Stat_t
		if unix.Stat(path, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFCHR && stat.Rdev == node.Rdev {
			return true
		}
	}
	return false
}

// processOf returns a process with its name, the zero value if it is gone or hidden.
func processOf(proc string, pid int) Process {
	file, err := os.Open(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	if err != nil {
		return Process{}
	}
	defer file.Close()
	name, err := io.ReadAll(io.LimitReader(file, maxProcessName))
	if err != nil {
		return Process{}
	}
	return Process{PID: pid, Name: strings.TrimSuffix(string(name), "\n")}
}

// list returns the first names in a folder, none if it cannot be read.
func list(folder string, most int) []string {
	dir, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(most)
	return names
}
