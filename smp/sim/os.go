package sim

import (
	"strconv"
	"strings"
	"time"
)

// osCommand is the table of the OS group (Zephyr smp_group_0.rst, os_mgmt.c).
func (d *Device) osCommand(id uint8) command {
	o := &d.o
	switch {
	case id == 0 && !o.NoEcho:
		return command{read: osEcho, write: osEcho}
	case id == 2 && !o.NoTaskStat:
		return command{read: osTaskStat}
	case id == 3 && !o.NoMemStat:
		return command{read: osMemStat}
	case id == 4 && !o.NoDateTime:
		return command{read: osClockRead, write: osClockWrite}
	case id == 5:
		return command{write: osReset}
	case id == 6 && !o.NoParams:
		return command{read: osParams}
	case id == 7 && !o.NoInfo:
		return command{read: osInfo}
	case id == 8 && !o.NoBootloaderInfo:
		return command{read: osBootloaderInfo}
	}
	return command{}
}

func osEcho(c *call) *failure {
	var text string
	if f := c.arguments(argText("d", &text)); f != nil {
		return f
	}
	c.w.text("r")
	c.w.text(text)
	return nil
}

// thread is an entry of the task statistics. Stack sizes are in words of 4 bytes.
type thread struct {
	name            string
	prio            int64
	state           uint64 // Zephyr kernel_structs.h: _THREAD_PENDING 2, _THREAD_QUEUED 128
	stack, usedPart uint64
}

var threads = []thread{
	{"mcumgr smp", 3, 128, 512, 158},
	{"sysworkq", -1, 2, 256, 62},
	{"logging", 14, 2, 192, 61},
	{"idle", 15, 0, 80, 14},
	{"main", 0, 2, 512, 120},
}

func osTaskStat(c *call) *failure {
	c.w.text("tasks")
	c.w.openMap()
	for i, t := range threads {
		c.w.text(t.name)
		c.w.openMap()
		c.w.text("prio")
		c.w.int(t.prio)
		c.w.text("tid")
		c.w.uint(uint64(i))
		c.w.text("state")
		c.w.uint(t.state)
		c.w.text("stksiz")
		c.w.uint(t.stack)
		c.w.text("stkuse")
		c.w.uint(t.usedPart)
		c.w.close()
	}
	c.w.close()
	return nil
}

func osMemStat(c *call) *failure {
	c.w.text("0")
	c.w.openMap()
	for _, e := range []struct {
		key string
		n   uint64
	}{{"blksiz", 1}, {"nblks", 4096}, {"nfree", 3584}, {"min", 3072}} {
		c.w.text(e.key)
		c.w.uint(e.n)
	}
	c.w.close()
	return nil
}

// clock is a real-time clock that nobody has set at first.
type clock struct {
	set   time.Time // what it was set to
	since time.Time // when
}

const clockFormat = "2006-01-02T15:04:05"

func osClockRead(c *call) *failure {
	k := c.d.clock
	if k.since.IsZero() {
		return osFailure(osClockNotSet)
	}
	c.w.text("datetime")
	c.w.text(k.set.Add(time.Since(k.since)).Format(clockFormat))
	return nil
}

func osClockWrite(c *call) *failure {
	var text string
	if f := c.arguments(argText("datetime", &text)); f != nil {
		return f
	}
	t, ok := parseClock(text)
	if !ok {
		return protocolFailure(rcInvalid)
	}
	if t.IsZero() {
		return osFailure(osClockFailed)
	}
	c.d.clock = clock{set: t, since: time.Now()}
	return nil
}

// parseClock reads six numbers with any single character between them, within the limits of each field; the rest of
// the text is ignored. A date that no calendar has gives the zero time.
func parseClock(s string) (t time.Time, ok bool) {
	const shortest, longest = 19, 25
	if len(s) < shortest || len(s) > longest {
		return t, false
	}
	limits := [6][2]int{{1900, 11899}, {1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 59}}
	var n [6]int
	for i, limit := range limits {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		v, err := strconv.Atoi(s[:digits])
		if err != nil || v < limit[0] || v > limit[1] {
			return t, false
		}
		n[i], s = v, s[min(digits+1, len(s)):]
	}
	t = time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	if t.Day() != n[2] {
		return time.Time{}, true
	}
	return t, true
}

// osReset ignores what it does not understand, as a command must that brings a device back.
func osReset(c *call) *failure {
	var mode uint32
	if f := c.arguments(argUint("boot_mode", &mode)); f == nil && mode > 255 {
		return protocolFailure(rcInvalid)
	}
	c.reset = true
	if !c.d.o.NoBootMode && !c.d.o.SerialRecovery.Absent {
		c.d.flash.note.BootMode = uint8(mode)
	}
	return nil
}

func osParams(c *call) *failure {
	c.w.text("buf_size")
	c.w.uint(uint64(c.d.o.BufSize))
	c.w.text("buf_count")
	c.w.uint(uint64(c.d.o.BufCount))
	return nil
}

const infoOrder = "snrvbmpio" // the order of the items in the answer

func osInfo(c *call) *failure {
	var format string
	if f := c.arguments(argText("format", &format)); f != nil {
		return f
	}
	if strings.Trim(format, infoOrder+"a") != "" {
		return osFailure(osInvalidFormat)
	}
	var items []string
	for _, letter := range infoOrder {
		if strings.ContainsAny(format, string(letter)+"a") || format == "" && letter == 's' {
			items = append(items, c.d.about(letter))
		}
	}
	c.w.text("output")
	c.w.text(strings.Join(items, " "))
	return nil
}

func (d *Device) about(letter rune) string {
	return map[rune]string{
		's': "Zephyr", 'n': "unknown", 'r': "v" + d.o.Kernel, 'v': d.o.Kernel, 'b': "Thu Jan  1 00:00:00 2026",
		'm': "posix", 'p': "x86", 'i': d.o.Board, 'o': "Zephyr",
	}[letter]
}

func osBootloaderInfo(c *call) *failure {
	var query string
	if f := c.arguments(argText("query", &query)); f != nil {
		return f
	}
	if !c.has("query") {
		c.w.text("bootloader")
		c.w.text("MCUboot")
		return nil
	}
	if query != "mode" {
		return osFailure(osNoAnswer)
	}
	c.w.text("mode")
	c.w.int(c.d.o.Mode.number())
	if c.d.o.NoDowngrade {
		c.w.text("no-downgrade")
		c.w.bool(true)
	}
	return nil
}
