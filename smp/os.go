package smp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// OSGroup holds the commands of the operating system group (Zephyr smp_group_0.rst). Use it as a field of a [Client].
// Every method waits for the device, at most as long as [Options] say, and returns a *[DeviceError] when the device
// refuses.
type OSGroup struct{ c *Client }

type echoRequest struct {
	Text string `cbor:"d"`
}

type echoReply struct {
	Text string `cbor:"r"`
}

// Echo sends text and returns what comes back.
func (g OSGroup) Echo(ctx context.Context, text string) (string, error) {
	r, err := osEcho.do(ctx, g.c, echoRequest{text})
	return r.Text, err
}

// Params asks for the device's packet buffers. [Client.Negotiate] asks once and remembers.
func (g OSGroup) Params(ctx context.Context) (Params, error) {
	r, err := osParams.do(ctx, g.c, none{})
	if err != nil {
		return Params{}, err
	}
	return Params{BufferSize: int(min(r.Size, math.MaxInt32)), BufferCount: int(min(r.Count, math.MaxInt32)),
		Known: true}, nil
}

// BootMode is what a reset asks the bootloader to do (Zephyr include/zephyr/retention/bootmode.h).
type BootMode uint8

// The boot modes.
const (
	BootNormal     BootMode = 0 // start the application
	BootBootloader BootMode = 1 // stay in the bootloader, for serial recovery
)

// ResetOptions adjust [OSGroup.Reset].
type ResetOptions struct {
	Force    bool     // reset even if the application would rather not
	BootMode BootMode // devices without the option ignore it, and say nothing
}

type resetRequest struct {
	Force    bool     `cbor:"force,omitempty"` // a CBOR bool: Zephyr ignores the integer that its documentation names
	BootMode BootMode `cbor:"boot_mode,omitempty"`
}

// Reset asks the device to reboot. It is sent once: a second request could hit the bootloader or the new firmware. A
// link that took the request and then ended by itself counts as success, for a USB port goes away with the device. The
// old firmware may go on answering for a moment (CONFIG_MCUMGR_GRP_OS_RESET_MS, 250 ms by default).
func (g OSGroup) Reset(ctx context.Context, o ResetOptions) error {
	if _, err := g.c.Negotiate(ctx); err != nil {
		return fmt.Errorf("%s: %w", osReset.name, err)
	}
	packet, err := osReset.packet(g.c, resetRequest(o))
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	t := osReset.timing(g.c)
	t.sent = sent
	body, err := g.c.exchange(ctx, packet, t)
	switch {
	case err == nil:
		_, err = osReset.decode(body)
		return err
	case errors.Is(err, ErrClosed) && g.c.Err() != ErrClosed && tookIt(sent):
		return nil
	}
	return fmt.Errorf("%s: %w", osReset.name, err)
}

// tookIt reports whether the link has taken the request. The reading side of a link may notice its end while the
// writing side is about to return.
func tookIt(sent <-chan error) bool {
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case err := <-sent:
		return err == nil
	case <-limit.C:
		return false
	}
}

type infoRequest struct {
	Format string `cbor:"format,omitempty"`
}

type infoReply struct {
	Output string `cbor:"output"`
}

// Info asks about the running system. Each letter of format chooses an item: s kernel name, n node name, r kernel
// release, v kernel version, b build date, m machine, p processor, i board, o operating system, a everything; empty is
// s. The items come in the device's order, parted by single spaces, which an item may contain itself.
func (g OSGroup) Info(ctx context.Context, format string) (string, error) {
	r, err := osInfo.do(ctx, g.c, infoRequest{format})
	return r.Output, err
}

// Task is one thread of the device. Optional values are nil where the device does not report them.
type Task struct {
	Name        string
	Priority    int64
	ID          int64
	State       uint64  // bits of the kernel's thread state
	StackUsed   *uint64 // 4-byte words
	StackSize   *uint64 // 4-byte words
	Switches    *uint64 // context switches; always 0 on Zephyr
	Runtime     *uint64 // cycles
	LastCheckin *uint64 // always 0 on Zephyr
	NextCheckin *uint64 // always 0 on Zephyr
}

type taskFields struct {
	Priority    int64   `cbor:"prio"`
	ID          int64   `cbor:"tid"`
	State       uint64  `cbor:"state"`
	StackUsed   *uint64 `cbor:"stkuse"`
	StackSize   *uint64 `cbor:"stksiz"`
	Switches    *uint64 `cbor:"cswcnt"`
	Runtime     *uint64 `cbor:"runtime"`
	LastCheckin *uint64 `cbor:"last_checkin"`
	NextCheckin *uint64 `cbor:"next_checkin"`
}

type tasksReply struct {
	Tasks taskList `cbor:"tasks"`
}

type taskList []Task

// UnmarshalCBOR keeps the order and the names that repeat: Zephyr cuts long names, and then two may be the same.
func (l *taskList) UnmarshalCBOR(b []byte) error {
	return pairs(b, func(name string, value cbor.RawMessage) error {
		var f taskFields
		if err := decode(value, &f); err != nil {
			return err
		}
		*l = append(*l, Task{
			name, f.Priority, f.ID, f.State, f.StackUsed, f.StackSize, f.Switches, f.Runtime, f.LastCheckin,
			f.NextCheckin,
		})
		return nil
	})
}

// TaskStats lists the device's threads, in its order.
func (g OSGroup) TaskStats(ctx context.Context) ([]Task, error) {
	r, err := osTaskStat.do(ctx, g.c, none{})
	return r.Tasks, err
}

// Pool is one memory pool or heap of the device.
type Pool struct {
	Name      string
	BlockSize uint64 // bytes; 1 for a heap
	Blocks    uint64
	Free      uint64 // blocks
	LeastFree uint64 // lowest number of free blocks ever
}

type poolFields struct {
	BlockSize *uint64 `cbor:"blksiz"`
	Blocks    uint64  `cbor:"nblks"`
	Free      uint64  `cbor:"nfree"`
	LeastFree uint64  `cbor:"min"`
}

type poolsReply struct{ pools []Pool }

// UnmarshalCBOR takes the three shapes that servers send: the pools at the top level, under "mpools" (Mynewt), or under
// "tasks".
func (r *poolsReply) UnmarshalCBOR(b []byte) error {
	return pairs(b, func(name string, value cbor.RawMessage) error {
		if !isMap(value) {
			return nil // rc, rsn
		}
		if name == "mpools" || name == "tasks" {
			return r.UnmarshalCBOR(value)
		}
		var f poolFields
		if err := decode(value, &f); err != nil {
			return err
		}
		p := Pool{name, 1, f.Blocks, f.Free, f.LeastFree}
		if f.BlockSize != nil {
			p.BlockSize = *f.BlockSize
		}
		r.pools = append(r.pools, p)
		return nil
	})
}

// MemoryPools lists the device's memory pools, in its order.
func (g OSGroup) MemoryPools(ctx context.Context) ([]Pool, error) {
	r, err := osMPStat.do(ctx, g.c, none{})
	return r.pools, err
}

type datetimeBody struct {
	Text string `cbor:"datetime"`
}

// datetimeLayout is what every server takes; a fraction or an offset is ignored or refused.
const datetimeLayout = "2006-01-02T15:04:05"

// Datetime reads the device's clock. The device knows no time zone; the result is in UTC and means what the clock was
// set to.
func (g OSGroup) Datetime(ctx context.Context) (time.Time, error) {
	r, err := osTimeRead.do(ctx, g.c, none{})
	if err != nil {
		return time.Time{}, err
	}
	t, err := parseDatetime(r.Text)
	if err != nil {
		return time.Time{}, protocolError(osTimeRead.name, err.Error())
	}
	return t, nil
}

// SetDatetime sets the device's clock to the reading of t in its own time zone, in whole seconds.
func (g OSGroup) SetDatetime(ctx context.Context, t time.Time) error {
	_, err := osTimeWrite.do(ctx, g.c, datetimeBody{t.Format(datetimeLayout)})
	return err
}

// parseDatetime reads the text of a server. Older Zephyr prints milliseconds without leading zeros, so ".7" means 7 ms;
// Mynewt prints six digits and an offset, which is dropped because nothing says what it refers to.
func parseDatetime(s string) (time.Time, error) {
	if len(s) < len(datetimeLayout) {
		return time.Time{}, fmt.Errorf("%q is no date and time", printable(s))
	}
	t, err := time.Parse(datetimeLayout, s[:len(datetimeLayout)])
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date and time", printable(s))
	}
	fraction, dotted := strings.CutPrefix(s[len(datetimeLayout):], ".")
	if !dotted {
		return t, nil
	}
	n, digits := 0, 0
	for digits < len(fraction) && digits < 6 && fraction[digits] >= '0' && fraction[digits] <= '9' {
		n = n*10 + int(fraction[digits]-'0')
		digits++
	}
	if digits == 6 {
		return t.Add(time.Duration(n) * time.Microsecond), nil
	}
	return t.Add(time.Duration(n) * time.Millisecond), nil
}
