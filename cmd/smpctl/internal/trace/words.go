package trace

import (
	"fmt"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/cborjson"
	"github.com/smpctl/smpctl/smp"
)

// commandWords are the names of commands, in the order of their numbers (Zephyr smp_groups).
var commandWords = map[smp.Group][]string{
	smp.GroupOS: {"echo", "console echo", "tasks", "memory pools", "date and time", "reset", "parameters", "info",
		"bootloader"},
	smp.GroupImage:    {"state", "upload", "file", "core list", "core load", "erase", "slots"},
	smp.GroupStat:     {"read", "list"},
	smp.GroupSettings: {"value", "delete", "commit", "load or save"},
	smp.GroupFS:       {"file", "status", "hash", "hash types", "close"},
	smp.GroupShell:    {"exec"},
	smp.GroupEnum:     {"count", "list", "single", "details"},
	smp.GroupZephyr:   {"erase storage"},
}

// command is the name of a command with its group.
func command(h smp.Header) string {
	if names := commandWords[h.Group]; int(h.Command) < len(names) {
		return fmt.Sprintf("%s %s", h.Group, names[h.Command])
	}
	return fmt.Sprintf("%s command %d", h.Group, h.Command)
}

// Words describes a packet in a line: what its header says, and the beginning of its payload as JSON.
func Words(packet []byte) string {
	h, payload, err := smp.ParseHeader(packet)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s: %s, sequence %d, version %s, %d bytes%s",
		h.Op, command(h), h.Sequence, h.Version, len(payload), payloadWords(payload))
}

// payloadWords is the beginning of a payload as JSON, if it is CBOR.
func payloadWords(payload []byte) string {
	const most = 120 // bytes of a line for people
	text, err := cborjson.ToJSON(payload)
	switch {
	case err != nil:
		return ""
	case len(text) > most:
		return fmt.Sprintf(" %s...", text[:most])
	}
	return fmt.Sprintf(" %s", text)
}

// probeOp is the operation of an application probe, which applications refuse and bootloaders do not hear
// ([smp.Client.AwaitApplication]). Where it would not arrive, an answer that nobody asked for is one.
const probeOp smp.Op = 4

// asked is what a header says of a packet: operation, group and command.
func asked(h smp.Header, sent bool) string {
	switch {
	case h.Op == probeOp, sent && h.Op == smp.ReadResponse:
		return fmt.Sprintf("application probe (op %d), %s", int(h.Op), command(h))
	case h.Op == smp.ReadResponse:
		return "read rsp " + command(h)
	case h.Op == smp.WriteResponse:
		return "write rsp " + command(h)
	}
	return fmt.Sprintf("%s %s", h.Op, command(h))
}

// refused is a refusal without what the payload beside it tells.
func refused(e smp.DeviceError) string {
	e.Command, e.Reason = "", ""
	return strings.TrimPrefix(e.Error(), ": device ")
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3)
}
