package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Mynewt's groups, which no Zephyr has: log, run and crash (mynewt-core sys/log, test/runtest, test/crash_test). They
// are here so that the commands for them can be tried.

// logCommand is the table of the log group.
func logCommand(id uint8) command {
	switch id {
	case 0:
		return command{read: logShow}
	case 1:
		return command{write: logClear}
	case 3:
		return command{read: logModules}
	case 4:
		return command{read: logLevels}
	case 5:
		return command{read: logList}
	}
	return command{}
}

// logEntry is one message of the reboot log, the only one of this device. It lives in memory that a reset keeps.
type logEntry struct {
	index  uint32
	at     time.Duration // since the device was made
	module uint8
	text   string
}

const (
	logName       = "reboot_log"
	logMemory     = 1 // LOG_TYPE_MEMORY
	logLevelInfo  = 1
	moduleReboot  = 6
	moduleTest    = 8
	maxLogEntries = 64
)

// deviceLog is the log of a device.
type deviceLog struct {
	born    time.Time
	entries []logEntry
	next    uint32
}

// note adds an entry; the oldest one makes room.
func (l *deviceLog) note(module uint8, format string, args ...any) {
	if len(l.entries) == maxLogEntries {
		l.entries = l.entries[1:]
	}
	l.entries = append(l.entries, logEntry{l.next, time.Since(l.born), module, fmt.Sprintf(format, args...)})
	l.next++
}

// logShow sends what fits a packet; rc 1 says that there is more.
func logShow(c *call) *failure {
	var name string
	var since int64
	var index uint32
	if f := c.arguments(argText("log_name", &name), argInt("ts", &since), argUint("index", &index)); f != nil {
		return f
	}
	if name != "" && name != logName {
		return protocolFailure(rcNoEntry)
	}
	c.w.text("next_index")
	c.w.uint(uint64(c.d.log.next))
	c.w.text("logs")
	c.w.openList()
	c.w.openMap()
	c.w.text("name")
	c.w.text(logName)
	c.w.text("type")
	c.w.uint(logMemory)
	c.w.text("entries")
	c.w.openList()
	all := c.logEntries(c.d.log.since(index, since))
	c.w.close()
	c.w.close()
	c.w.close()
	c.w.text("rc")
	if all {
		c.w.uint(0)
	} else {
		c.w.uint(1)
	}
	return nil
}

// since gives the entries from an index and a time in microseconds on; the last one alone if the time is negative.
func (l *deviceLog) since(index uint32, us int64) []logEntry {
	if us < 0 {
		return l.entries[max(0, len(l.entries)-1):]
	}
	return slices.DeleteFunc(slices.Clone(l.entries),
		func(e logEntry) bool { return e.index < index || e.at.Microseconds() < us })
}

// logEntries writes as many entries as fit the packet, and reports whether those are all.
func (c *call) logEntries(entries []logEntry) (all bool) {
	const tail = 16 // ends of maps and lists, rc
	for _, e := range entries {
		fits := len(c.w.b)
		c.logEntry(e)
		if smp.HeaderLen+len(c.w.b)+tail > c.d.o.BufSize {
			c.w.b = c.w.b[:fits]
			return false
		}
	}
	return true
}

func (c *call) logEntry(e logEntry) {
	c.w.openMap()
	c.w.text("type")
	c.w.text("str")
	c.w.text("msg")
	c.w.b = append(c.w.b, 0x5f) // a byte string in pieces, as Mynewt sends it
	c.w.bytes([]byte(e.text))
	c.w.close()
	c.w.text("ts")
	c.w.uint(uint64(e.at.Microseconds()))
	c.w.text("level")
	c.w.uint(logLevelInfo)
	c.w.text("index")
	c.w.uint(uint64(e.index))
	c.w.text("module")
	c.w.uint(uint64(e.module))
	c.w.close()
}

func logClear(c *call) *failure {
	c.d.log.entries = nil
	return nil
}

func logModules(c *call) *failure {
	return c.numbered("module_map", []stat{{"DEFAULT", 0}, {"REBOOT", moduleReboot}, {"TEST", moduleTest}})
}

func logLevels(c *call) *failure {
	return c.numbered("level_map",
		[]stat{{"DEBUG", 0}, {"INFO", logLevelInfo}, {"WARN", 2}, {"ERROR", 3}, {"CRITICAL", 4}})
}

func (c *call) numbered(key string, list []stat) *failure {
	c.w.text("rc")
	c.w.uint(0)
	c.w.text(key)
	c.w.openMap()
	for _, e := range list {
		c.w.text(e.name)
		c.w.uint(e.value)
	}
	c.w.close()
	return nil
}

func logList(c *call) *failure { return c.names("log_list", logName) }

func (c *call) names(key string, names ...string) *failure {
	c.w.text("rc")
	c.w.uint(0)
	c.w.text(key)
	c.w.openList()
	for _, n := range names {
		c.w.text(n)
	}
	c.w.close()
	return nil
}
