package smp

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// command is one line of the table of everything this package can ask: Q is the request's payload, A the reply's.
type command[Q, A any] struct {
	name    string // as errors call it
	op      Op
	group   Group
	id      uint8
	single  bool          // never sent twice: a second one could do harm
	instant bool          // answered at once by every server that knows it; to others it must not cost much
	timeout time.Duration // time for the answer of one try, unless the caller chose one; 0 means the default
}

// How long a device may take that answers at once, if it answers at all.
const (
	quickTimeout = time.Second
	quickTries   = 2
)

// Answers that take long: flash is erased, images are validated, trailers are written.
const (
	eraseTimeout = 60 * time.Second // a whole slot of slow flash
	hashTimeout  = 15 * time.Second // a whole file is read from slow flash
	listTimeout  = 10 * time.Second // MCUboot checks every signature before it lists
	writeTimeout = 5 * time.Second  // a trailer write may include an erase
	saveTimeout  = 10 * time.Second // settings may have to be moved to another sector
	shellTimeout = 30 * time.Second // a command of somebody else's making
)

// The table (Zephyr smp_group_0.rst and following; mynewt-newtmgr nmxact/nmp for log, crash and run). once, quick and
// taking are what the fields single, instant and timeout say.
var (
	osEcho       = write[echoRequest, echoReply]("echo", GroupOS, 0)
	osConsole    = write[consoleEchoRequest, none]("console echo control", GroupOS, 1).quick()
	osTaskStat   = read[none, tasksReply]("task statistics", GroupOS, 2)
	osMPStat     = read[none, poolsReply]("memory pool statistics", GroupOS, 3)
	osTimeRead   = read[none, datetimeBody]("date and time", GroupOS, 4)
	osTimeWrite  = write[datetimeBody, none]("set date and time", GroupOS, 4)
	osReset      = write[resetRequest, none]("reset", GroupOS, 5).once()
	osParams     = read[none, paramsReply]("parameters", GroupOS, 6)
	osInfo       = read[infoRequest, infoReply]("os info", GroupOS, 7)
	osBootloader = read[bootloaderRequest, bootloaderReply]("bootloader info", GroupOS, 8)

	imageRead   = read[none, stateReply]("image list", GroupImage, 0).taking(listTimeout)
	imageWrite  = write[stateRequest, stateReply]("image state", GroupImage, 0).taking(writeTimeout)
	imageUpload = write[uploadRequest, uploadReply]("image upload", GroupImage, 1)
	imageErase  = write[eraseRequest, none]("image erase", GroupImage, 5).taking(eraseTimeout)
	imageSlots  = read[none, slotsReply]("slot info", GroupImage, 6)

	statRead = read[statRequest, statReply]("statistics", GroupStat, 0)
	statList = read[none, statListReply]("statistics list", GroupStat, 1)

	settingsRead   = read[settingName, settingReply]("settings get", GroupSettings, 0)
	settingsWrite  = write[settingValue, none]("settings set", GroupSettings, 0)
	settingsDelete = write[settingName, none]("settings delete", GroupSettings, 1)
	settingsCommit = write[none, none]("settings commit", GroupSettings, 2)
	settingsLoad   = read[none, none]("settings load", GroupSettings, 3).taking(saveTimeout)
	settingsSave   = write[none, none]("settings save", GroupSettings, 3).taking(saveTimeout)

	logShow    = read[logRequest, logReply]("log show", GroupLog, 0)
	logClear   = write[none, none]("log clear", GroupLog, 1)
	logModules = read[none, logModulesReply]("log modules", GroupLog, 3)
	logLevels  = read[none, logLevelsReply]("log levels", GroupLog, 4)
	logList    = read[none, logListReply]("log list", GroupLog, 5)

	crashTrigger = write[crashRequest, none]("crash", GroupCrash, 0).once()

	runTest = write[runRequest, none]("run test", GroupRun, 0).once()
	runList = read[none, runListReply]("run list", GroupRun, 1)

	fsDownload  = read[fileReadRequest, fileReadReply]("fs download", GroupFS, 0)
	fsUpload    = write[uploadRequest, fileWriteReply]("fs upload", GroupFS, 0).once()
	fsSize      = read[fileRequest, sizeReply]("fs size", GroupFS, 1)
	fsHash      = read[hashRequest, hashReply]("fs hash", GroupFS, 2).taking(hashTimeout)
	fsHashTypes = read[none, hashTypesReply]("fs hash types", GroupFS, 3)
	fsClose     = write[none, none]("fs close", GroupFS, 4)

	shellExec = write[shellRequest, shellReply]("shell exec", GroupShell, 0).once().taking(shellTimeout)

	enumCount   = read[none, enumCountReply]("group count", GroupEnum, 0)
	enumList    = read[none, enumListReply]("group list", GroupEnum, 1)
	enumSingle  = read[enumSingleRequest, enumSingleReply]("group at index", GroupEnum, 2)
	enumDetails = read[enumDetailsRequest, enumDetailsReply]("group details", GroupEnum, 3)

	zephyrErase = write[none, none]("erase storage", GroupZephyr, 0).taking(eraseTimeout)
)

func read[Q, A any](name string, group Group, id uint8) command[Q, A] {
	return command[Q, A]{name: name, op: Read, group: group, id: id}
}

func write[Q, A any](name string, group Group, id uint8) command[Q, A] {
	return command[Q, A]{name: name, op: Write, group: group, id: id}
}

func (cmd command[Q, A]) once() command[Q, A]  { cmd.single = true; return cmd }
func (cmd command[Q, A]) quick() command[Q, A] { cmd.instant = true; return cmd }

func (cmd command[Q, A]) taking(timeout time.Duration) command[Q, A] {
	cmd.timeout = timeout
	return cmd
}

// none is the payload of requests and replies that carry nothing. A request still sends an empty map: some servers
// refuse a payload of no bytes.
type none struct{}

// do sends the request and returns the decoded reply. It negotiates first, waits at most tries × timeout,
// and reports a refusal as *DeviceError.
func (cmd command[Q, A]) do(ctx context.Context, c *Client, request Q) (A, error) {
	body, err := cmd.ask(ctx, c, request)
	if err != nil {
		var nothing A
		return nothing, err
	}
	return cmd.decode(body)
}

// ask is do without a look at the reply: it returns its payload.
func (cmd command[Q, A]) ask(ctx context.Context, c *Client, request Q) ([]byte, error) {
	if _, err := c.Negotiate(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.name, err)
	}
	packet, err := cmd.packet(c, request)
	if err != nil {
		return nil, err
	}
	for asked := 1; ; asked++ {
		body, err := c.exchange(ctx, packet, cmd.timing(c))
		if err == nil && !cmd.single && asked < memoryTries && outOfBuffers(body) {
			err = sleep(ctx, memoryPause)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cmd.name, err)
		}
		return body, nil
	}
}

// A server without a free buffer for its answer refuses the request before it looks at it (Zephyr smp.c:
// smp_alloc_rsp). Its buffers are those of what it was sent before: requests that came twice, or too many at a time.
const (
	memoryTries = 4
	memoryPause = 100 * time.Millisecond
)

// outOfBuffers reports whether a reply is such a refusal.
func outOfBuffers(body []byte) bool {
	var s status
	return decode(body, &s) == nil && s.Err.RC == 0 && s.RC == rcNoMemory
}

// packet encodes a request under the negotiated version; the client fills in the sequence number when it sends.
func (cmd command[Q, A]) packet(c *Client, request Q) ([]byte, error) {
	var buf bytes.Buffer
	buf.Write(make([]byte, HeaderLen))
	if err := appendCBOR(&buf, request); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.name, err)
	}
	packet := buf.Bytes()
	if limit := min(c.PacketLimit(), HeaderLen+maxPayload); len(packet) > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, the device takes %d", cmd.name, ErrTooLarge, len(packet), limit)
	}
	cmd.header(c, len(packet)-HeaderLen).Append(packet[:0])
	return packet, nil
}

func (cmd command[Q, A]) header(c *Client, payload int) Header {
	return Header{Version: c.Version(), Op: cmd.op, Length: uint16(payload), Group: cmd.group, Command: cmd.id}
}

func (cmd command[Q, A]) timing(c *Client) timing {
	t := c.timing()
	if !c.chosen || cmd.timeout >= eraseTimeout {
		t.timeout = max(t.timeout, cmd.timeout)
	}
	if cmd.instant {
		t.tries = min(t.tries, quickTries)
		if !c.chosen {
			t.timeout = max(quickTimeout, 4*c.roundTrip())
		}
	}
	if cmd.single {
		t.tries = 1
	} else if cmd.timeout >= eraseTimeout {
		t.tries = min(t.tries, 2)
	}
	return t
}
