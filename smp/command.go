package smp

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// command is one line of the table of everything this package can ask: Q is the request's payload, A the reply's.
type command[Q, A any] struct {
	name     string // as errors call it
	op       Op
	group    Group
	id       uint8
	once     bool          // never sent twice: a second one could do harm
	patience time.Duration // time for the answer of one try, unless the caller chose one; 0 means the default
}

// Answers that take long: flash is erased, images are validated, trailers are written.
const (
	erasePatience = 60 * time.Second // a whole slot of slow flash
	listPatience  = 10 * time.Second // MCUboot checks every signature before it lists
	writePatience = 5 * time.Second  // a trailer write may include an erase
)

// The table (Zephyr smp_group_0.rst and smp_group_1.rst).
var (
	osEcho       = command[echoRequest, echoReply]{name: "echo", op: Write, group: GroupOS, id: 0}
	osConsole    = command[consoleEchoRequest, none]{name: "console echo control", op: Write, group: GroupOS, id: 1, once: true}
	osTaskStat   = command[none, tasksReply]{name: "task statistics", op: Read, group: GroupOS, id: 2}
	osMPStat     = command[none, poolsReply]{name: "memory pool statistics", op: Read, group: GroupOS, id: 3}
	osTimeRead   = command[none, datetimeBody]{name: "date and time", op: Read, group: GroupOS, id: 4}
	osTimeWrite  = command[datetimeBody, none]{name: "set date and time", op: Write, group: GroupOS, id: 4}
	osReset      = command[resetRequest, none]{name: "reset", op: Write, group: GroupOS, id: 5, once: true}
	osParams     = command[none, paramsReply]{name: "parameters", op: Read, group: GroupOS, id: 6}
	osInfo       = command[infoRequest, infoReply]{name: "os info", op: Read, group: GroupOS, id: 7}
	osBootloader = command[bootloaderRequest, bootloaderReply]{name: "bootloader info", op: Read, group: GroupOS, id: 8}

	imageRead   = command[none, stateReply]{name: "image list", op: Read, group: GroupImage, id: 0, patience: listPatience}
	imageWrite  = command[stateRequest, stateReply]{name: "image state", op: Write, group: GroupImage, id: 0, patience: writePatience}
	imageUpload = command[uploadRequest, uploadReply]{name: "image upload", op: Write, group: GroupImage, id: 1}
	imageErase  = command[eraseRequest, none]{name: "image erase", op: Write, group: GroupImage, id: 5, patience: erasePatience}
	imageSlots  = command[none, slotsReply]{name: "slot info", op: Read, group: GroupImage, id: 6}
)

// none is the payload of requests and replies that carry nothing. A request still sends an empty map: some servers refuse a
// payload of no bytes.
type none struct{}

// do sends the request and returns the decoded reply. It settles the protocol version first, waits at most tries × timeout,
// and reports a refusal as *DeviceError.
func (cmd command[Q, A]) do(ctx context.Context, c *Client, request Q) (A, error) {
	var answer A
	if _, err := c.Negotiate(ctx); err != nil {
		return answer, fmt.Errorf("%s: %w", cmd.name, err)
	}
	packet, err := cmd.packet(c, request)
	if err != nil {
		return answer, err
	}
	body, err := c.exchange(ctx, packet, cmd.timing(c))
	if err != nil {
		return answer, fmt.Errorf("%s: %w", cmd.name, err)
	}
	return cmd.decode(body)
}

// packet encodes a request under the settled version; the client fills in the sequence number when it sends.
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
	if !c.chosen || cmd.patience == erasePatience {
		t.timeout = max(t.timeout, cmd.patience)
	}
	if cmd.once {
		t.tries = 1
	} else if cmd.patience == erasePatience {
		t.tries = min(t.tries, 2)
	}
	return t
}

// decode reads the payload of a reply: first whether it is a refusal, then the values.
func (cmd command[Q, A]) decode(body []byte) (A, error) {
	var answer A
	if err := refusal(cmd.name, cmd.group, body); err != nil {
		return answer, err
	}
	if err := decode(body, &answer); err != nil {
		var nothing A
		return nothing, protocolError(cmd.name, err.Error(), body)
	}
	return answer, nil
}

// status holds the keys by which a reply says no (Zephyr smp_protocol.rst, "Minimal response SMP data").
type status struct {
	RC     int64           `cbor:"rc"`
	Reason string          `cbor:"rsn"`
	Err    groupStatus     `cbor:"err"`
	Ret    cbor.RawMessage `cbor:"ret"` // name of err in the first servers with version 2; a number in shell replies
}

type groupStatus struct {
	Group uint16 `cbor:"group"`
	RC    int64  `cbor:"rc"`
}

// refusal returns the error that the reply carries, or nil. The keys are looked for whatever the version of the
// reply, because MCUboot answers version 2 requests in the shape of version 1.
func refusal(name string, group Group, body []byte) error {
	var s status
	if err := decode(body, &s); err != nil {
		return protocolError(name, err.Error(), body)
	}
	return s.refusal(name, group, body)
}

func (s *status) refusal(name string, group Group, body []byte) error {
	if s.Err.RC == 0 && isMap(s.Ret) {
		if err := decode(s.Ret, &s.Err); err != nil {
			return protocolError(name, err.Error(), body)
		}
	}
	switch {
	case s.Err.RC != 0:
		return &DeviceError{Command: name, Group: Group(s.Err.Group), Code: clampInt32(s.Err.RC), Reason: s.Reason}
	case s.RC != 0:
		return &DeviceError{Command: name, Group: group, Code: clampInt32(s.RC), Global: true, Reason: s.Reason}
	}
	return nil
}

// clampInt32 keeps a huge code from becoming another one, or none, where int has 32 bits.
func clampInt32(n int64) int { return int(min(max(n, math.MinInt32), math.MaxInt32)) }
