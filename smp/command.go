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
	once    bool          // never sent twice: a second one could do harm
	quick   bool          // answered at once by every server that knows it; to others it must not cost much
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

// The table (Zephyr smp_group_0.rst and following; mynewt-newtmgr nmxact/nmp for log, crash and run).
var (
	osEcho       = command[echoRequest, echoReply]{name: "echo", op: Write, group: GroupOS, id: 0}
	osConsole    = command[consoleEchoRequest, none]{name: "console echo control", op: Write, group: GroupOS, id: 1, quick: true}
	osTaskStat   = command[none, tasksReply]{name: "task statistics", op: Read, group: GroupOS, id: 2}
	osMPStat     = command[none, poolsReply]{name: "memory pool statistics", op: Read, group: GroupOS, id: 3}
	osTimeRead   = command[none, datetimeBody]{name: "date and time", op: Read, group: GroupOS, id: 4}
	osTimeWrite  = command[datetimeBody, none]{name: "set date and time", op: Write, group: GroupOS, id: 4}
	osReset      = command[resetRequest, none]{name: "reset", op: Write, group: GroupOS, id: 5, once: true}
	osParams     = command[none, paramsReply]{name: "parameters", op: Read, group: GroupOS, id: 6}
	osInfo       = command[infoRequest, infoReply]{name: "os info", op: Read, group: GroupOS, id: 7}
	osBootloader = command[bootloaderRequest, bootloaderReply]{name: "bootloader info", op: Read, group: GroupOS, id: 8}

	imageRead   = command[none, stateReply]{name: "image list", op: Read, group: GroupImage, id: 0, timeout: listTimeout}
	imageWrite  = command[stateRequest, stateReply]{name: "image state", op: Write, group: GroupImage, id: 0, timeout: writeTimeout}
	imageUpload = command[uploadRequest, uploadReply]{name: "image upload", op: Write, group: GroupImage, id: 1}
	imageErase  = command[eraseRequest, none]{name: "image erase", op: Write, group: GroupImage, id: 5, timeout: eraseTimeout}
	imageSlots  = command[none, slotsReply]{name: "slot info", op: Read, group: GroupImage, id: 6}

	statRead = command[statRequest, statReply]{name: "statistics", op: Read, group: GroupStat, id: 0}
	statList = command[none, statListReply]{name: "statistics list", op: Read, group: GroupStat, id: 1}

	settingsRead   = command[settingName, settingReply]{name: "settings get", op: Read, group: GroupSettings, id: 0}
	settingsWrite  = command[settingValue, none]{name: "settings set", op: Write, group: GroupSettings, id: 0}
	settingsDelete = command[settingName, none]{name: "settings delete", op: Write, group: GroupSettings, id: 1}
	settingsCommit = command[none, none]{name: "settings commit", op: Write, group: GroupSettings, id: 2}
	settingsLoad   = command[none, none]{name: "settings load", op: Read, group: GroupSettings, id: 3, timeout: saveTimeout}
	settingsSave   = command[none, none]{name: "settings save", op: Write, group: GroupSettings, id: 3, timeout: saveTimeout}

	logShow    = command[logRequest, logReply]{name: "log show", op: Read, group: GroupLog, id: 0}
	logClear   = command[none, none]{name: "log clear", op: Write, group: GroupLog, id: 1}
	logModules = command[none, logModulesReply]{name: "log modules", op: Read, group: GroupLog, id: 3}
	logLevels  = command[none, logLevelsReply]{name: "log levels", op: Read, group: GroupLog, id: 4}
	logList    = command[none, logListReply]{name: "log list", op: Read, group: GroupLog, id: 5}

	crashTrigger = command[crashRequest, none]{name: "crash", op: Write, group: GroupCrash, id: 0, once: true}

	runTest = command[runRequest, none]{name: "run test", op: Write, group: GroupRun, id: 0, once: true}
	runList = command[none, runListReply]{name: "run list", op: Read, group: GroupRun, id: 1}

	fsDownload  = command[fileReadRequest, fileReadReply]{name: "fs download", op: Read, group: GroupFS, id: 0}
	fsUpload    = command[uploadRequest, fileWriteReply]{name: "fs upload", op: Write, group: GroupFS, id: 0, once: true}
	fsSize      = command[fileRequest, sizeReply]{name: "fs size", op: Read, group: GroupFS, id: 1}
	fsHash      = command[hashRequest, hashReply]{name: "fs hash", op: Read, group: GroupFS, id: 2, timeout: hashTimeout}
	fsHashTypes = command[none, hashTypesReply]{name: "fs hash types", op: Read, group: GroupFS, id: 3}
	fsClose     = command[none, none]{name: "fs close", op: Write, group: GroupFS, id: 4}

	shellExec = command[shellRequest, shellReply]{name: "shell exec", op: Write, group: GroupShell, id: 0, once: true, timeout: shellTimeout}

	enumCount   = command[none, enumCountReply]{name: "group count", op: Read, group: GroupEnum, id: 0}
	enumList    = command[none, enumListReply]{name: "group list", op: Read, group: GroupEnum, id: 1}
	enumSingle  = command[enumSingleRequest, enumSingleReply]{name: "group at index", op: Read, group: GroupEnum, id: 2}
	enumDetails = command[enumDetailsRequest, enumDetailsReply]{name: "group details", op: Read, group: GroupEnum, id: 3}

	zephyrErase = command[none, none]{name: "erase storage", op: Write, group: GroupZephyr, id: 0, timeout: eraseTimeout}
)

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
		if err == nil && !cmd.once && asked < memoryTries && outOfBuffers(body) {
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
	if cmd.quick {
		t.tries = min(t.tries, quickTries)
		if !c.chosen {
			t.timeout = max(quickTimeout, 4*c.roundTrip())
		}
	}
	if cmd.once {
		t.tries = 1
	} else if cmd.timeout >= eraseTimeout {
		t.tries = min(t.tries, 2)
	}
	return t
}
